#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

ledger app.db 5
expect 0 backup-db app.db
for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    { STATUS=0; backup-db app.db -e "env-$n" >"$SAID/out.$n" 2>"$SAID/err.$n" || STATUS=$?; echo $STATUS >"$SAID/status.$n"; } &
done
wait
is "$(cat "$SAID"/status.* | sort -u)" 0 "the statuses"
expect 0 backup-guard audit --limit 0 --json
is "$(jq '.verified_lines' "$OUT")" 42 "lines"
is "$(jq -r '[.lines[].run] | unique | length' "$OUT")" 21 "runs"
is "$(jq -r '.lines | group_by(.run) | map(map(.event) | join(" ")) | unique | .[]' "$OUT")" "start outcome" "the lines of each run"
# Runs with state directories of their own have no lock in common but the folder's.
for n in 1 2 3 4 5 6 7 8 9 10; do
    { STATUS=0; HOLDFAST_STATE_DIR=$HOLDFAST_STATE_DIR.$n backup-guard -e "env-$n" >/dev/null 2>"$SAID/err.$n" || STATUS=$?; echo $STATUS >"$SAID/status.$n"; } &
done
wait
rm -rf "$HOLDFAST_STATE_DIR".*
expect 0 backup-guard audit --limit 0 --json
is "$(jq '.verified_lines' "$OUT")" 62 "lines, with those of other state directories"
all_verify -q
