#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"
# shellcheck source=tests/scenarios/files_lib.sh
. "$SCENARIOS/files_lib.sh"

mkdir -p media/album media/empty
echo one >media/album/one
ln media/album/one media/again
ln -s album media/link
head -c 700000 /dev/urandom >media/large
chmod 500 media/album
config 'env.dev.files = ["media"]'
expect 0 backup-full

# whole_or_unfinished WHAT: what is there is whole, each file by itself, and if something is missing the folder says so.
whole_or_unfinished() {
    [ -d back ] || return 0
    [ ! -e back/media/large ] || cmp media/large back/media/large || wrong "$1: half a file has its name"
    if [ ! -e back/.holdfast-unfinished ] && [ -n "$(ls -A back)" ]; then same_files media back/media; fi
}
is_unfinished() { [ -z "$(ls -A back 2>/dev/null)" ] || [ -e back/.holdfast-unfinished ]; }
killed=0
while :; do
    killed=$((killed + 1))
    run env HOLDFAST_TEST_STOP_AT=$killed restore-db latest --files-to back
    [ "$STATUS" != 0 ] || break
    is "$STATUS" 137 "status when killed at step $killed"
    whole_or_unfinished "killed at step $killed"
    # Where only the audit trail lacked a line, all is there.
    is_unfinished && expect 0 restore-db latest --files-to back
    same_files media back/media
    is "$(find back -name '.holdfast*')" '' "what is left after step $killed"
    chmod -R u+w back && rm -r back
done
[ "$killed" -gt 20 ] || wrong "only $killed steps: is this a debug build?"
chmod -R u+w back && rm -r back
for errno in 28 5; do
    failed=0
    while :; do
        failed=$((failed + 1))
        run env HOLDFAST_TEST_FAIL_AT="$failed:$errno" restore-db latest --files-to back
        [ "$STATUS" != 0 ] || break
        [ -s "$ERR" ] || wrong "not a word of a failure at step $failed"
        case $STATUS in
            1) ;;
            7) says 'the audit trail lacks a line of this run' ;;
            *) wrong "status $STATUS at step $failed" ;;
        esac
        whole_or_unfinished "failure at step $failed"
        is_unfinished && expect 0 restore-db latest --files-to back
        same_files media back/media
        chmod -R u+w back && rm -r back
    done
    [ "$failed" -gt 20 ] || wrong "only $failed steps failed"
    chmod -R u+w back && rm -r back
done
nothing_left

# Into a folder that holds something: only where it is said, and only what has the same name.
mkdir -p back/media/album
echo mine >back/media/album/one
echo mine >back/media/album/other
before=$(snapshot back)
expect 4 restore-db latest --files-to back
says 'is not empty'
is "$(snapshot back)" "$before" 'a folder that is not empty'
expect 0 restore-db latest --files-to back --overwrite
is "$(cat back/media/album/one back/media/album/other | tr '\n' ' ')" 'one mine ' 'what was replaced, and what was not'
