#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

# The first steps are cut in an empty store, so that creating it is cut too.
ledger app.db 50
at_step=0
while :; do
    at_step=$((at_step + 1))
    run env HOLDFAST_TEST_STOP_AT=$at_step backup-db app.db
    [ "$STATUS" != 0 ] || break
    is "$STATUS" 137 "status when killed at step $at_step"
    if [ "$(count)" -gt 0 ]; then all_verify -q; fi
    before=$(count)
    expect 0 backup-db app.db
    is "$(count)" $((before + 1)) "backups after step $at_step"
    nothing_left
    all_verify -q
done
[ "$at_step" -gt 25 ] || wrong "only $at_step steps: is this a debug build?"
has_rows app.db 50
