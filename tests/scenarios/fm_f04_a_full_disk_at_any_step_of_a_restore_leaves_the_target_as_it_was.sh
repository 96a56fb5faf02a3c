#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

config '[env.dev]' 'database = "app.db"'
ledger app.db 20
expect 0 backup-db -e dev
good=$(made)
sqlite3 app.db 'DELETE FROM entry WHERE id > 10'
at_step=0
while :; do
    at_step=$((at_step + 1))
    before=$(hash_of app.db)
    run env HOLDFAST_TEST_FAIL_AT=$at_step:28 restore-db -e dev "$good"
    [ "$STATUS" != 0 ] || break
    [ -s "$ERR" ] || wrong "status $STATUS at step $at_step and not a word"
    if [ "$(rows app.db)" = 10 ]; then
        is "$STATUS" 1 "status of a failure at step $at_step"
        is "$(hash_of app.db)" "$before" "the target after a failure at step $at_step"
    else
        # The new database is in place; the failure was in noting that down.
        has_rows app.db 20
        expect 0 restore-db -e dev --undo
        has_rows app.db 10
    fi
    all_verify -q -e dev
done
[ "$at_step" -gt 25 ] || wrong "only $at_step steps"
has_rows app.db 20
expect 0 restore-db -e dev --undo
has_rows app.db 10
nothing_left
