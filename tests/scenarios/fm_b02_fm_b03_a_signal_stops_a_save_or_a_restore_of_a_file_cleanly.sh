#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

echo small >a.txt
expect 0 file-versions save a.txt -m small
head -c 60000000 /dev/urandom >big
cp a.txt target
before=$(snapshot backups/versions/objects)
# stopped_by SIGNAL STATUS PLACE COMMAND…: stopped as soon as there is a draft in that place.
stopped_by() {
    signal=$1
    wanted=$2
    place=$3
    shift 3
    # A shell starts what is in its background with SIGINT ignored, and what is ignored stays so.
    env --default-signal=INT "$@" >"$OUT" 2>"$ERR" &
    VICTIM=$!
    wait_for 'a draft' sh -c "ls $place"
    kill -STOP "$VICTIM"
    kill "-$signal" "$VICTIM"
    kill -CONT "$VICTIM"
    STATUS=0
    wait "$VICTIM" || STATUS=$?
    is "$STATUS" "$wanted" "status after SIG$signal"
    says 'stopped by signal'
    prints_nothing
    nothing_left
}
stopped_by TERM 143 'backups/versions/.staging-*' file-versions save big -m big
stopped_by HUP 129 'backups/versions/.staging-*' file-versions save big -m big
stopped_by INT 130 'backups/versions/.staging-*' file-versions save big -m big
is "$(snapshot backups/versions/objects)" "$before" 'the contents'
expect 0 file-versions save big -m big
stopped_by TERM 143 '.file-versions-*' file-versions restore big --to target
is "$(cat target)" small 'the target'
expect 0 file-versions restore big --to target
cmp big target || wrong 'what came back'

# Space that must stay free is not used, and a content that needs none of it is kept all the same.
config 'min_free = "1000TB"' '[env.dev]' 'database = "app.db"'
echo other >a.txt
expect 1 file-versions save a.txt -m other
says 'not enough space'
prints_nothing
cp big b.bin
expect 0 file-versions save b.bin -m copy
expect 0 file-versions stats --verify
nothing_left
