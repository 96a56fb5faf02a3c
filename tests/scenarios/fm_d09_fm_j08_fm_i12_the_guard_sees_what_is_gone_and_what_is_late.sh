#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

config 'max_age = "2h"' '[env.dev]' 'database = "app.db"'
ledger app.db 50
expect 3 backup-guard
expect 0 at 2020-11-21T10:00:00Z backup-db
cp -a backups older
expect 0 at 2020-11-21T11:00:00Z backup-db
expect 0 at 2020-11-21T12:59:00Z backup-guard
expect 3 at 2020-11-21T13:01:00Z backup-guard
prints 'was a run missed?'
expect 0 at 2020-11-21T13:01:00Z backup-guard --max-age 3h
# The formats of two other programs say the same.
expect 3 at 2020-11-21T13:01:00Z backup-guard --format prometheus
prints 'holdfast_ok 0'
expect 2 at 2020-11-21T13:01:00Z backup-guard --format nagios
is "$(wc -l <"$OUT" | tr -d ' ')" 1 "lines for the monitoring plugin"
# The store is put back to an older copy of itself.
mv backups newer
mv older backups
expect 3 at 2020-11-21T11:30:00Z backup-guard
prints 'has disappeared'
rm -rf backups
mv newer backups
expect 0 at 2020-11-21T11:30:00Z backup-guard
# What was removed by hand, and meant so, is missed until that is said.
for minute in 10 11 12; do expect 0 at 2020-11-21T11:${minute}:00Z backup-db -q; done
gone=$(backups dev | tail -n 2)
[ -d "backups/dev/$(echo "$gone" | tail -n 1)" ] || wrong 'no such backup'
for id in $gone; do rm -r "backups/dev/$id"; done
expect 3 at 2020-11-21T11:30:00Z backup-guard
for id in $gone; do prints "$id"; done
prints '2 backups that this machine made have disappeared'
prints 'backup-catalog forget -e dev ID'
lacks "$OUT" ', …'
expect 4 backup-catalog forget "$(backups dev | tail -n 1)"
says 'backup-catalog delete'
expect 3 backup-catalog forget 20990101T000000Z
expect 2 backup-catalog forget 20201121T11
expect 2 backup-catalog forget
before=$(snapshot backups/dev)
first=$(echo "$gone" | head -n 1)
expect 0 backup-catalog forget "$first" -n
prints "$first"
expect 3 at 2020-11-21T11:30:00Z backup-guard
prints '2 backups'
expect 0 backup-catalog forget "$first"
prints "$first"
expect 3 at 2020-11-21T11:30:00Z backup-guard
prints '1 backup that this machine made has disappeared'
lacks "$OUT" "$first"
expect 0 backup-catalog forget --all --json
is "$(jq -r '.environment + .forgotten[0]' "$OUT")" "dev$(echo "$gone" | tail -n 1)" 'what is forgotten'
expect 0 at 2020-11-21T11:30:00Z backup-guard
is "$(snapshot backups/dev)" "$before" 'the backups'
# The store was an older copy for a while, which the trail says too.
run backup-guard audit --operation forget --json
is "$(jq '[.lines[] | select(.event == "outcome" and .result == "done")] | length' "$OUT")" 2 'lines of the audit trail'
# An environment that was never backed up is not well either.
config '[env.dev]' 'database = "app.db"' '[env.test]' 'database = "test.db"'
expect 3 at 2020-11-21T11:30:00Z backup-guard
prints 'there is no verified backup'
nothing_left
