#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

# What a restore keeps for itself in a folder has names that no entry has.
mkdir data
echo important >data/.holdfast-new.part
echo 1 >data/a
echo 2 >data/z
echo keep >.holdfast-unfinished
expect 0 backup-full data .holdfast-unfinished
expect 0 restore-db latest --files-to out
diff -r data out/data || wrong 'not everything came back'
is "$(cat out/.holdfast-unfinished)" keep 'a root with the name of the note'
is "$(find out -name '.holdfast*' | sort | tr '\n' ' ')" 'out/.holdfast-unfinished out/data/.holdfast-new.part ' 'what lies there'
expect 4 restore-db latest --files-to out

# What a kill leaves goes with the call that finishes it, wherever it was killed.
for step in 3 5 6 7 8 9 10 11 12 13 14 15 16; do
    run env HOLDFAST_TEST_STOP_AT=$step restore-db latest --files-to killed
    is "$STATUS" 137 "status when killed at step $step"
    expect 0 restore-db latest --files-to killed
    diff -r data killed/data || wrong "not everything came back after step $step"
    is "$(find killed -name '.holdfast*' | wc -l)" 2 "what is left after step $step"
    rm -r killed
done
