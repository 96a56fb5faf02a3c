#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

ledger app.db 50
expect 0 backup-db app.db
lines() { jq -s length backups/audit/*.jsonl; }
# How many steps a run has: it is killed at each until one is not.
steps=0
while :; do
    run env HOLDFAST_TEST_STOP_AT=$((steps + 1)) backup-db app.db
    [ "$STATUS" != 0 ] || break
    steps=$((steps + 1))
done
[ "$steps" -gt 35 ] || wrong "only $steps steps"
# One step fails, all others work: no space left, or an error of the disk.
partial=0
at_step=0
while [ "$at_step" -lt "$steps" ]; do
    at_step=$((at_step + 1))
    before=$(count)
    errno=$([ $((at_step % 2)) = 0 ] && echo 28 || echo 5)
    run env HOLDFAST_TEST_FAIL_AT="$at_step-$at_step:$errno" backup-db app.db
    case $STATUS in
        # A step that only tidies up, or that makes a warning.
        0) is "$(count)" $((before + 1)) "backups, status 0 at step $at_step" ;;
        1) is "$(count)" "$before" "backups, status 1 at step $at_step" ;;
        7)
            is "$(count)" $((before + 1)) "backups, status 7 at step $at_step"
            says 'warning: the audit trail lacks a line of this run: '
            says 'the work itself is not affected'
            [ -d "$(backup)" ] || wrong "status 7 at step $at_step, and no backup"
            partial=$((partial + 1))
            ;;
        *) wrong "status $STATUS at step $at_step" ;;
    esac
    expect 0 backup-guard audit --limit 1
done
# Open, write, sync and remember, at the start and at the outcome.
[ "$partial" -ge 10 ] || wrong "only $partial runs lacked a line of the audit trail"
all_verify -q
nothing_left
# The line that was cut off again is not there, and the one after it follows.
before=$(lines)
expect 0 backup-db app.db
is "$(lines)" $((before + 2)) "lines"
