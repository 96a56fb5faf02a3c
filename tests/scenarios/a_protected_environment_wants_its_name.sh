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
says '-n'
says '--confirm prod:'
# A name alone says nothing of what is approved.
expect 4 restore-db -e prod latest --confirm prod
says '-n'
expect 4 restore-db -e prod latest --confirm dev
says 'about prod'
expect 2 restore-db -e prod latest --confirm prod:please
expect 4 restore-db latest --to "sqlite:$PWD/prod.db"
is "$(hash_of prod.db)" "$before" "the database"
is "$(count prod)" 1 "backups: no safety backup was made"
# Looking needs no name; another place needs none either.
expect 0 restore-db -e prod latest -n
prints 'prod, protected'
prints 'risk     high'
prints 'approve  with --confirm prod:'
expect 0 restore-db -e prod latest --to sqlite:look.db
has_rows look.db 9
plan restore-db -e prod latest
expect 0 restore-db -e prod latest --confirm "$CODE"
has_rows prod.db 9
expect 4 restore-db -e prod --undo
expect 4 restore-db -e prod --discard
approved restore-db -e prod --undo
has_rows prod.db 10
approved restore-db -e prod --discard
has_rows prod.db 10
nothing_left
