#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

ledger app.db 50
config 'min_verified = 1' '[env.dev]' 'database = "app.db"' '[env.dev.retention]' 'keep_last = 2'
old() {
    for day in 01 02 03 04; do at "2020-11-${day}T12:00:00Z" backup-db -e dev --no-prune >/dev/null; done
}
cuts=0
at_step=24
while :; do
    at_step=$((at_step + 1))
    rm -rf backups "$HOLDFAST_STATE_DIR"
    old
    kept=$(backups | tail -n 1)
    run env HOLDFAST_TEST_NOW=2020-11-15T12:00:00Z HOLDFAST_TEST_STOP_AT=$at_step backup-db -e dev
    [ "$STATUS" != 0 ] || break
    is "$STATUS" 137 "status when killed at step $at_step"
    all_verify -q -e dev --max-age 800000h
    backups | grep -qx -e "$kept" || wrong "$kept is gone after a kill at step $at_step"
    [ "$(count)" -ge 2 ] || wrong "$(count) backups after a kill at step $at_step"
    # A backup on its way out is on no list, or whole.
    if ls -d backups/.trash-* >"$OUT" 2>"$ERR"; then cuts=$((cuts + 1)); fi
    expect 0 at 2020-11-15T13:00:00Z backup-db -e dev
    nothing_left
    is "$(count)" 2 "backups after the run that follows step $at_step"
    all_verify -q -e dev --max-age 800000h
done
is "$(count)" 2 "backups after a whole run"
[ "$cuts" -ge 6 ] || wrong "only $cuts kills hit a removal"
