#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

config '[env.dev]' 'database = "dev.db"' '[env.prod]' 'database = "prod.db"' 'protected = true'
ledger dev.db 5
ledger prod.db 9
expect 0 backup-db -e dev
dev=$(made)
folder=$(backup)
expect 0 backup-db -e prod
prod=$(made)
expect 4 restore-db -e prod "$dev" --confirm prod
says "$dev is a backup of dev"
expect 4 restore-db -e prod "$folder" --confirm prod
expect 4 restore-db "$dev" --to sqlite:prod.db --confirm prod
says 'prod'
expect 4 restore-db -e dev "$prod"
expect 2 restore-db latest
says 'dev, prod'
# Through a link it is the same database.
ln -s prod.db alias.db
expect 4 restore-db "$dev" --to sqlite:alias.db --confirm prod
expect 4 restore-db "$dev" --to postgres://nobody@localhost/x
says 'is of sqlite'
has_rows dev.db 5
has_rows prod.db 9
is "$(count dev)$(count prod)" 11 "backups: no safety backup was made"
nothing_left
