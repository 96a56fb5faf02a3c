#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

newest() { jq -r .request.newest_backup.id "$OUT"; }
look() {
    rm -f look.db*
    ledger look.db 2
}

# Without a configuration, and without -e: the safety backup of whatever lies there is filed under what was restored.
config 'store = "store"' '[env.prod]' 'database = "prod.db"' 'protected = true' 'max_age = "2h"'
ledger prod.db 5
expect 0 at 2020-11-21T10:00:00Z backup-db -e prod
regular=$(made)
cp "store/prod/$regular/database.sqlite.gz" any.gz
mv holdfast.toml kept.toml
minute=30
for origin in "$regular" '-f any.gz' "-e prod $regular"; do
    look
    # shellcheck disable=SC2086 # words
    expect 0 at 2020-11-21T13:${minute}:00Z restore-db --store store $origin --to look.db
    minute=$((minute + 1))
    has_rows look.db 5
done
is "$(count prod store)" 4 'backups of prod: a regular one and three safety backups'
is "$(count dev store)" 0 'backups of an environment that nobody has'
expect 0 at 2020-11-21T11:00:00Z backup-guard --store store
safety=$(backups prod store | sed -n '/-safety-/p' | tail -n 1)
is "$(jq -r 'select(.kind == "safety" and .protected) | .id' store/prod/*/manifest.json | wc -l)" 3 'safety backups that say that prod is protected'
mv kept.toml holdfast.toml

# They are younger, and make up for nothing that happens to the database of prod itself.
expect 0 at 2020-11-21T13:40:00Z restore-db -e prod latest -n --json
is "$(newest)" "$regular" 'the newest verified backup of prod'
is "$(jq -r .request.risk "$OUT")" critical 'the risk, with a backup older than max_age'
expect 0 at 2020-11-21T13:40:00Z safe-migrate -e prod -n --json -- true
is "$(newest)" "$regular" 'the newest verified backup before a migration'
expect 0 at 2020-11-21T13:40:00Z backup-catalog delete "$regular" -n --json
is "$(newest)" null 'the newest verified backup of prod that stays'
prints 'no verified backup holds what would be gone'
# Of the database that they are of, they are.
expect 0 at 2020-11-21T13:40:00Z restore-db -e prod latest --to look.db -n --json
is "$(newest)" "$safety" 'the newest verified backup of look.db'
expect 0 at 2020-11-21T13:40:00Z backup-catalog delete "$(backups prod store | grep -- -safety- | head -n 1)" -n --json
lacks "$OUT" 'no verified backup holds'
# Where there is no database yet, the environment's own backups are what there is to go back to.
mv prod.db gone.db
expect 0 at 2020-11-21T11:40:00Z restore-db -e prod latest -n --json
is "$(newest)" "$regular" 'the newest verified backup for a place that is empty'
is "$(jq -r .request.risk "$OUT")" high 'the risk where nothing is lost'
# Another database in its stead is in no backup yet.
mkdir moved
ledger moved/prod.db 3
config 'store = "store"' '[env.prod]' 'database = "moved/prod.db"' 'protected = true'
expect 0 restore-db -e prod latest -n
prints 'critical  there is no verified backup of prod, made from this database, to go back to'
nothing_left
