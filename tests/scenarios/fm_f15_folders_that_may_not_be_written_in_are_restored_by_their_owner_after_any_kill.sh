#!/bin/sh
# shellcheck disable=SC2086 # the runner is a list of words
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"
# shellcheck source=tests/scenarios/files_lib.sh
. "$SCENARIOS/files_lib.sh"

# Root may write everywhere: then an ordinary user does it.
as=
if [ "$(id -u)" = 0 ]; then
    command -v setpriv >/dev/null || not_run 'there is no setpriv'
    as='setpriv --reuid=65534 --regid=65534 --clear-groups'
    mkdir -p "$HOLDFAST_STATE_DIR"
    chmod 711 "$SAID"
    chmod 777 . "$HOLDFAST_STATE_DIR"
    $as sh -c ': >reach' 2>/dev/null || not_run 'an ordinary user does not reach this folder'
fi
mkdir d
for folder in 1 2 3 4; do
    mkdir -p d/ro$folder/sub
    echo $folder >d/ro$folder/file
    echo $folder >d/ro$folder/sub/file
    chmod 555 d/ro$folder/sub d/ro$folder
done
[ -z "$as" ] || chown -R 65534:65534 d
HOME=$PWD
export HOME
state=$HOLDFAST_STATE_DIR/user
expect 0 $as env HOLDFAST_STATE_DIR="$state" backup-full --store mine d
total=0
while :; do
    total=$((total + 1))
    run $as env HOLDFAST_STATE_DIR="$state" HOLDFAST_TEST_STOP_AT=$total restore-db --store mine latest --files-to out
    [ "$STATUS" != 0 ] || break
    is "$STATUS" 137 "status when killed at step $total"
    # The steps that give modes are the last ones; the others have a scenario of their own.
    if [ -e out/d/ro4/sub/file ] && [ -e out/.holdfast-unfinished ]; then
        expect 0 $as env HOLDFAST_STATE_DIR="$state" restore-db --store mine latest --files-to out
        same_files d out/d
    fi
    [ ! -d out ] || chmod -R u+w out
    rm -rf out
done
[ "$total" -gt 20 ] || wrong "only $total steps: is this a debug build?"

# Over itself, and one file of it: what was shut is shut again.
expect 0 $as env HOLDFAST_STATE_DIR="$state" restore-db --store mine latest --files-to out --overwrite
same_files d out/d
expect 0 $as env HOLDFAST_STATE_DIR="$state" restore-db --store mine latest --files-to out --overwrite --only 'd/ro1/sub/file'
is "$(stat -c %a out/d/ro1 out/d/ro1/sub | tr '\n' ' ')" '555 555 ' 'folders that were not chosen'
# A folder of nobody's choice that may not even be entered.
chmod 000 out/d/ro2
expect 0 $as env HOLDFAST_STATE_DIR="$state" restore-db --store mine latest --files-to out --overwrite
same_files d out/d
