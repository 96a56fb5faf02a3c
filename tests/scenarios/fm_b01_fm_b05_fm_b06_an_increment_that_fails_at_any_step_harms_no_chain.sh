#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

ledger app.db 5000
config 'type = "incremental"' '[env.dev]' 'database = "app.db"'
expect 0 backup-db -e dev
add_row app.db
expect 0 backup-db -e dev
cp -R backups kept
cp -R "$HOLDFAST_STATE_DIR" kept-state
sqlite3 app.db 'UPDATE entry SET cents = 1 WHERE id % 100 = 0'
for how in STOP 28 5; do
    at_step=0
    while :; do
        at_step=$((at_step + 1))
        rm -rf backups "$HOLDFAST_STATE_DIR"
        cp -R kept backups
        cp -R kept-state "$HOLDFAST_STATE_DIR"
        case $how in
            STOP) run env HOLDFAST_TEST_STOP_AT=$at_step backup-db -e dev --new-store ;;
            *) run env HOLDFAST_TEST_FAIL_AT="$at_step:$how" backup-db -e dev --new-store ;;
        esac
        case $STATUS in
            0) break ;;
            137 | 1 | 7) ;;
            *) wrong "status $STATUS at step $at_step ($how)" ;;
        esac
        [ "$(count)" -le 3 ] || wrong "$(count) backups after step $at_step ($how)"
        [ "$STATUS" != 1 ] || is "$(count)" 2 "backups after a failure at step $at_step ($how)"
        all_verify -q -e dev
        before=$(count)
        expect 0 backup-db -e dev --json
        is "$(jq -r .manifest.type "$OUT")" incremental "the type of the run that follows step $at_step ($how)"
        is "$(count)" $((before + 1)) "backups after the run that follows step $at_step ($how)"
        nothing_left
        all_verify -q -e dev
        expect 0 restore-db latest -e dev --to sqlite:out.db
        is "$(content out.db)" "$(content app.db)" "the newest after step $at_step ($how)"
        rm out.db
    done
    [ "$at_step" -gt 25 ] || wrong "only $at_step steps: is this a debug build?"
done
