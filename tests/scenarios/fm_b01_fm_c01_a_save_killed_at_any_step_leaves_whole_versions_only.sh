#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

# The first steps are cut in an empty store, so that creating it is cut too.
at_step=0
saved=0
while :; do
    at_step=$((at_step + 1))
    echo "content $at_step" >a.txt
    run env HOLDFAST_TEST_STOP_AT=$at_step file-versions save a.txt -m killed
    [ "$STATUS" != 0 ] || break
    is "$STATUS" 137 "status when killed at step $at_step"
    if [ -d backups/versions ] && [ -e backups/holdfast.json ]; then
        expect 0 file-versions stats --verify
        if [ -n "$(find backups/versions/index -name '*.json' 2>/dev/null)" ]; then expect 0 file-versions log a.txt; fi
    fi
    expect 0 file-versions save a.txt -m whole
    expect 0 file-versions cat a.txt
    is "$(cat "$OUT")" "content $at_step" "the newest version after step $at_step"
    saved=$((saved + 1))
    nothing_left
done
[ "$at_step" -gt 25 ] || wrong "only $at_step steps: is this a debug build?"
expect 0 file-versions log a.txt --json
is "$(value '.versions | length')" $((saved + 1)) 'every content is one version'
is "$(value '[.versions[].sha256] | unique | length')" $((saved + 1)) 'and each another'
# Each has the one before it for its parent.
is "$(value '[.versions[].parent][:-1] == [.versions[].id][1:]')" true 'the parents'
expect 0 file-versions stats --verify
expect 0 backup-guard audit --limit 1
