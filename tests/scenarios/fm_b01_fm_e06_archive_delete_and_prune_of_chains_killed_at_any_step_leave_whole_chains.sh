#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"
# shellcheck source=tests/scenarios/chains.sh
. "$SCENARIOS/chains.sh"

# Each time from the same store: a chain of three that is old, and younger fulls.
ledger app.db 20
settings() { config 'min_verified = 1' '[env.dev]' 'database = "app.db"' '[env.dev.retention]' "$@"; }
settings 'keep_last = 2' 'archive_after_days = 30'
for day in 01 02 03; do expect 0 at "2020-11-${day}T12:00:00Z" backup-db -e dev --no-prune; done
full=$(backups | head -n 1)
one=$(increment "$full" 2020-11-01T13:00:00.000Z)
two=$(increment "$one" 2020-11-01T14:00:00.000Z)
cp -Rp backups whole
cp -Rp "$HOLDFAST_STATE_DIR" state-whole
again() {
    rm -rf backups "$HOLDFAST_STATE_DIR"
    cp -Rp whole backups
    cp -Rp state-whole "$HOLDFAST_STATE_DIR"
}
export HOLDFAST_TEST_NOW=2021-03-01T12:00:00Z

# cut COMMAND…: killed, or failing for good, at each of its steps in turn (with HOLDFAST_SOAK both); then whole chains only, and
# the next cleanup ends it.
cut() {
    at_step=0
    while :; do
        at_step=$((at_step + 1))
        for fault in "HOLDFAST_TEST_STOP_AT=$at_step" "HOLDFAST_TEST_FAIL_AT=$at_step:28"; do
            case $((at_step % 2))$fault${HOLDFAST_SOAK:-} in
                0*FAIL_AT=*:28 | 1*STOP_AT="$at_step") continue ;;
            esac
            again
            run env "$fault" "$@"
            last=$STATUS
            chains_are_whole
            for id in $(backups) $(backups archives); do
                (cd "$(ls -d backups/*/"$id")" && sha256sum --quiet --strict -c SHA256SUMS) >"$OUT" 2>"$ERR" || wrong "$id is not whole: $* with $fault"
            done
            expect 0 backup-guard audit --limit 1
            expect 0 backup-catalog cleanup
            chains_are_whole
            # In the store; the draft of a note in the state directory goes when that note is next written.
            is "$(find backups -name '.*.nosync')" "" "what is left of $* with $fault"
        done
        case $last in 0) break ;; 137 | 7 | 1) ;; *) wrong "status $last: $* with $fault" ;; esac
    done
    expect 0 backup-guard -q -e dev --max-age 800000h
    [ "$at_step" -gt "$steps" ] || wrong "only $at_step steps of $*"
}
steps=12
settings 'keep_last = 9' 'archive_after_days = 30'
cut backup-catalog archive --after-days 100
steps=20
cut backup-catalog delete "$full" --with-dependents
steps=20
settings 'keep_last = 2'
cut backup-catalog prune
is "$(count)" 2 "backups after a prune that was not cut off"
[ ! -d "backups/dev/$two" ] || wrong "a leaf is left"
