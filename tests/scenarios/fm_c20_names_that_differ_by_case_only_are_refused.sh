#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

ledger app.db 5
expect 0 backup-db app.db -e prod
for name in Prod PROD 'pröd' 'a b' '../x' .. . '' -x a/b migrations archives checks audit logs aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; do
    run backup-db app.db --env="$name"
    [ "$STATUS" = 2 ] || [ "$STATUS" = 6 ] || wrong "environment '$name': status $STATUS"
done
is "$(find backups -mindepth 1 -maxdepth 1 -type d ! -name audit)" backups/prod "the folders of the store"
config '[env.Prod]' 'database = "app.db"'
expect 6 backup-db
says 'prod'
