#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

ledger app.db 200
config 'min_verified = 1' '[env.dev]' 'database = "app.db"' '[env.dev.retention]' 'keep_last = 2'
# A chain of four, and one of three. What is kept of the second needs all of it; the first may go as a whole.
chains() {
    for run in 01-full 02-incremental 03-incremental 04-differential 05-full 06-incremental; do
        add_row app.db
        at "2020-11-${run%%-*}T12:00:00Z" backup-db -e dev --no-prune --type "${run#*-}" >/dev/null
    done
}
chains
newest=$(backups | tail -n 2)
expect 0 at 2020-11-15T12:00:00Z backup-db -e dev --type incremental
is "$(count)" 3 "backups after a whole run"
is "$(backups | head -n 2)" "$newest" "what the newest needs"
all_verify -q -e dev --max-age 800000h
# A run whose chain has begun longer ago keeps that chain.
rm -rf backups "$HOLDFAST_STATE_DIR"
chains
expect 0 at 2020-11-15T12:00:00Z backup-db -e dev --type differential
is "$(count)" 3 "backups after a differential"
rm -rf backups "$HOLDFAST_STATE_DIR"
for run in 01-full 02-incremental 03-incremental; do at "2020-11-${run%%-*}T12:00:00Z" backup-db -e dev --no-prune --type "${run#*-}" >/dev/null; done
expect 0 at 2020-11-15T12:00:00Z backup-db -e dev --type incremental
is "$(count)" 4 "backups of a single chain"

cuts=0
at_step=24
while :; do
    at_step=$((at_step + 1))
    rm -rf backups "$HOLDFAST_STATE_DIR"
    chains
    run env HOLDFAST_TEST_NOW=2020-11-15T12:00:00Z HOLDFAST_TEST_STOP_AT=$at_step backup-db -e dev --type incremental
    [ "$STATUS" != 0 ] || break
    is "$STATUS" 137 "status when killed at step $at_step"
    # Nothing that is still on the list lacks what it needs.
    all_verify -q -e dev --max-age 800000h
    if ls -d backups/.trash-* >"$OUT" 2>"$ERR"; then cuts=$((cuts + 1)); fi
    expect 0 at 2020-11-15T13:00:00Z backup-db -e dev --type incremental
    nothing_left
    all_verify -q -e dev --max-age 800000h
done
[ "$cuts" -ge 6 ] || wrong "only $cuts kills hit a removal"
