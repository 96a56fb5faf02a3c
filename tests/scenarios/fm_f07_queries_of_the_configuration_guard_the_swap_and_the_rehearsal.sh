#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

config '[env.dev]' 'database = "app.db"' \
    'assert = ["SELECT count(*) >= 20 FROM entry", { query = "SELECT max(id) FROM entry", expect = "20" }]'
ledger app.db 20
expect 0 backup-db -e dev --verify restore
good=$(made)
sqlite3 app.db 'DELETE FROM entry WHERE id > 10'
# A backup is still a backup; only a rehearsal asks.
expect 0 backup-db -e dev
poor=$(made)
before=$(backups)
expect 1 backup-db -e dev --verify restore
says 'does not pass restore'
is "$(backups)" "$before" "the backups"
expect 3 backup-guard -e dev --verify restore
prints "$poor"
expect 0 backup-guard -e dev --verify restore "$good"
kept=$(hash_of app.db)
expect 3 restore-db -e dev "$poor"
is "$(hash_of app.db)" "$kept" "the target"
nothing_left
expect 0 restore-db -e dev "$good"
has_rows app.db 20
