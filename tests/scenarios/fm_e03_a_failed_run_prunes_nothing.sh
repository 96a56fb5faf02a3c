#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

config 'min_verified = 1' '[env.dev]' 'database = "app.db"' '[env.dev.retention]' 'keep_last = 1'
ledger app.db 50
for day in 01 02 03; do expect 0 at "2020-11-${day}T12:00:00Z" backup-db -e dev --no-prune; done
before=$(backups)
mv app.db away
expect 1 at 2020-11-20T12:00:00Z backup-db -e dev
: >app.db
expect 1 at 2020-11-20T12:00:00Z backup-db -e dev
cp away app.db
printf 'not a database, but as long' | dd of=app.db conv=notrunc 2>/dev/null
expect 1 at 2020-11-20T12:00:00Z backup-db -e dev
says 'is not a SQLite database'
cp away app.db
expect 1 at 2020-11-20T12:00:00Z env HOLDFAST_TEST_FAIL_AT=20:28 backup-db -e dev
is "$(backups)" "$before" "the backups"

# A corrupt source is published as what it is, prunes nothing, and is never the latest.
cp away app.db
sqlite3 app.db 'CREATE INDEX by_cents ON entry (cents); DELETE FROM sqlite_stat1' 2>/dev/null || :
page=$(sqlite3 app.db "SELECT rootpage FROM sqlite_schema WHERE name = 'by_cents'")
printf '\377\377\377\377' | dd of=app.db bs=1 seek=$(((page - 1) * 4096 + 3)) conv=notrunc 2>/dev/null
run at 2020-11-20T13:00:00Z backup-db -e dev
is "$STATUS" 3 "status of a backup of a corrupt database"
says 'corrupt'
is "$(count)" 4 "backups"
expect 0 at 2020-11-20T14:00:00Z restore-db -e dev latest -n --no-safety-backup
prints "$(echo "$before" | tail -n 1)"
nothing_left
