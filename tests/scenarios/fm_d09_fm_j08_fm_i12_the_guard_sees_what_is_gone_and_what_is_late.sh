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
prints 'have disappeared'
rm -rf backups
mv newer backups
expect 0 at 2020-11-21T11:30:00Z backup-guard
# An environment that was never backed up is not well either.
config '[env.dev]' 'database = "app.db"' '[env.test]' 'database = "test.db"'
expect 3 at 2020-11-21T11:30:00Z backup-guard
prints 'there is no verified backup'
nothing_left
