#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

ledger app.db 5
expect 0 backup-db app.db
log=$(echo backups/audit/*.jsonl)
torn='{"at":"2026-11-21T12'
at_step=0
unfinished=0
while :; do
    at_step=$((at_step + 1))
    # A power cut left half a line: the run that is killed next was to repair that, too.
    printf '%s' "$torn" >>"$log"
    run env HOLDFAST_TEST_STOP_AT=$at_step backup-db app.db
    [ "$STATUS" != 0 ] || break
    is "$STATUS" 137 "status when killed at step $at_step"
    expect 0 backup-guard audit --summary --json
    unfinished=$(jq '.summary.unfinished | length' "$OUT")
    is "$(jq -r '.summary.unfinished[].process' "$OUT" | sort -u)" "$([ "$unfinished" = 0 ] || echo gone)" "what became of the killed runs"
    # The next run tells of the half line, wherever the repair was cut off, and it verifies.
    expect 0 backup-db app.db
    expect 0 backup-guard audit --limit 0 --json
    is "$(jq '.notes | length' "$OUT")" 0 "notes after step $at_step"
    jq -e --arg bytes ${#torn} '[.lines[] | select(.event == "repaired")] | length >= '$at_step' and all(.detail.cut_bytes == ($bytes | tonumber))' "$OUT" >/dev/null ||
        wrong "a repair is not told, or not truly, after step $at_step"
    nothing_left
done
[ "$at_step" -gt 45 ] || wrong "only $at_step steps"
[ "$unfinished" -gt 30 ] || wrong "only $unfinished runs are known as unfinished"
expect 0 backup-guard audit --summary
prints "unfinished  "
prints "backup-db backup of dev, by $(id -un)"
all_verify -q
