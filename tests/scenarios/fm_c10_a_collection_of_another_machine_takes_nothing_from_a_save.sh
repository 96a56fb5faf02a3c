#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

# Another machine with the same store knows nothing of our locks: here, one with a state directory of its own.
elsewhere() { HOLDFAST_STATE_DIR=$PWD/elsewhere "$@"; }
mkdir elsewhere
echo begin >a.txt
expect 0 file-versions save a.txt -m begin
expect 0 elsewhere file-versions gc

# A content that a killed save had not named yet is young, and stays for its next try.
at_step=0
seen=0
while :; do
    at_step=$((at_step + 1))
    echo "unnamed $at_step" >a.txt
    run env HOLDFAST_TEST_STOP_AT=$at_step file-versions save a.txt -m killed
    [ "$STATUS" != 0 ] || break
    expect 0 elsewhere file-versions gc --json
    is "$(value .objects)" 0 "removed after a kill at step $at_step"
    seen=$((seen + $(value .young_objects)))
done
[ "$seen" -gt 3 ] || wrong "only $seen contents without a version were seen"

# Nor is one taken that was there already, old and needed by nobody, from the moment on at which a save has found it whole.
echo shared >c.txt
expect 0 file-versions save c.txt -m first
rm -f backups/versions/index/*/"$(made).json"
find backups/versions/objects -type f -exec touch -d '2 hours ago' {} +
cp -a backups/versions before
at_step=0
seen=0
while :; do
    at_step=$((at_step + 1))
    rm -rf backups/versions
    cp -a before backups/versions
    run env HOLDFAST_TEST_STOP_AT=$at_step file-versions save c.txt -m killed
    [ "$STATUS" != 0 ] || break
    expect 0 elsewhere file-versions gc --json
    seen=$((seen + $(value .young_objects)))
    expect 0 file-versions stats --verify
done
[ "$seen" -gt 3 ] || wrong "only $seen times a content that a save had found was kept"

# One that nobody needs and is old is named anew by a save, while the other machine collects: whoever is first, the version
# that the save has made can be read.
round=0
while [ $round -lt 12 ]; do
    round=$((round + 1))
    echo "content $round" >b.txt
    expect 0 file-versions save b.txt -m first
    echo "next $round" >b.txt
    expect 0 file-versions save b.txt -m second
    expect 0 file-versions gc --keep-last 1
    find backups/versions/objects -type f -exec touch -d '2 hours ago' {} +
    echo "content $round" >b.txt
    elsewhere file-versions gc >gc.out 2>gc.err &
    file-versions save b.txt -m again >"$OUT" 2>"$ERR" || wrong "the save of round $round failed"
    wait $! || wrong "the collection of round $round failed: $(cat gc.err)"
    expect 0 file-versions cat b.txt
    is "$(cat "$OUT")" "content $round" "the content of round $round"
    expect 0 file-versions stats --verify
done
nothing_left
