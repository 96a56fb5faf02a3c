#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

config 'min_verified = 1' '[env.dev]' 'database = "app.db"' '[env.dev.retention]' 'keep_last = 1'
ledger app.db 50
expect 0 at 2020-11-01T12:00:00Z backup-db -e dev
headless=$(made)
rm "$(backup)/manifest.json"
expect 0 at 2020-11-10T12:00:00Z backup-db -e dev
# Retention would have removed it, had it known what it is.
is "$(count)" 2 "folders"
expect 3 backup-guard -e dev
prints "$headless"
expect 3 restore-db -e dev "$headless" --no-safety-backup
says "$headless"
expect 0 restore-db --list
prints "$headless"
has_rows app.db 50
nothing_left
