#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

config '[env.prod]' 'database = "prod.db"' 'protected = true'
ledger prod.db 20
expect 0 backup-db -e prod
sqlite3 prod.db 'DELETE FROM entry WHERE id > 10'
plan restore-db -e prod latest
runs=
for number in 1 2 3 4 5 6; do
    restore-db -e prod latest --wait 60s --confirm "$CODE" >"out$number" 2>"err$number" </dev/null &
    runs="$runs $!"
done
statuses=
for run in $runs; do
    status=0
    wait "$run" || status=$?
    statuses="$statuses$status "
done
is "$(echo "$statuses" | tr ' ' '\n' | sort | tr -d '\n')" 044444 "the statuses of six runs with one code, sorted"
is "$(cat err? | grep -c 'was used')" 5 "runs that were told that the code was used"
has_rows prod.db 20
is "$(count prod)" 2 "backups: one is the safety backup"
nothing_left
