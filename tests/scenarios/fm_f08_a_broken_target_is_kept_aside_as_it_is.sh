#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

config '[env.dev]' 'database = "app.db"'
ledger app.db 20
expect 0 backup-db -e dev
echo 'this was a database once, before somebody edited it' >app.db
echo log >app.db-wal
before=$(hash_of app.db)
expect 4 restore-db -e dev latest
says '--no-safety-backup'
is "$(hash_of app.db)" "$before" "the broken file"
expect 0 restore-db -e dev latest --no-safety-backup
says 'NO safety backup'
has_rows app.db 20
[ ! -e app.db-wal ] || [ "$(cat app.db-wal)" != log ] || wrong "the stale log is still in its place"
expect 0 restore-db -e dev --undo
is "$(hash_of app.db)" "$before" "the broken file, back"
approved restore-db -e dev --discard
expect 0 restore-db -e dev latest --no-safety-backup
has_rows app.db 20
approved restore-db -e dev --discard
is "$(find . -maxdepth 1 -name 'app.db*')" ./app.db "what lies beside the target"
nothing_left
# A missing target needs neither; a log without its database is not played into the new one.
rm app.db
echo log >app.db-wal
expect 0 restore-db -e dev latest
has_rows app.db 20
