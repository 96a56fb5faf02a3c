#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

config '[env.prod]' 'database = "prod.db"' 'protected = true'
ledger prod.db 9
expect 0 backup-db -e prod
add_row prod.db
before=$(hash_of prod.db)
expect 4 restore-db -e prod latest
says 'protected'
says '--confirm prod'
expect 4 restore-db -e prod latest --confirm dev
expect 4 restore-db latest --to "sqlite:$PWD/prod.db"
is "$(hash_of prod.db)" "$before" "the database"
is "$(count prod)" 1 "backups: no safety backup was made"
# Looking needs no name; another place needs none either.
expect 0 restore-db -e prod latest -n
prints 'prod, protected'
expect 0 restore-db -e prod latest --to sqlite:look.db
has_rows look.db 9
expect 0 restore-db -e prod latest --confirm prod
has_rows prod.db 9
expect 4 restore-db -e prod --undo
expect 4 restore-db -e prod --discard
expect 0 restore-db -e prod --undo --confirm prod
has_rows prod.db 10
expect 0 restore-db -e prod --discard --confirm prod
has_rows prod.db 10
nothing_left
