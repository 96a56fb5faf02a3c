#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

script -qec true /dev/null </dev/null >"$OUT" 2>"$ERR" || not_run "it takes script (util-linux) to be a terminal"
config '[env.prod]' 'database = "prod.db"' 'protected = true'
ledger prod.db 9
expect 0 backup-db -e prod
add_row prod.db
before=$(hash_of prod.db)
# typed STATUS ANSWER: a restore at a terminal where that is typed.
typed() {
    STATUS=0
    # shellcheck disable=SC2094 # what is written there is waited for
    { wait_for "the question" grep -q 'to go on' "$OUT"; echo "$2"; sleep 1; } |
        script -qec 'restore-db -e prod latest' /dev/null >"$OUT" 2>"$ERR" || STATUS=$?
    is "$STATUS" "$1" "status after $2 was typed"
}
for answer in yes PROD prod2 ''; do
    typed 4 "$answer"
    prints 'risk     high: restore, sqlite:'
    prints 'prod is protected, and a restore replaces its database'
    prints 'loses    what is there now is replaced'
    prints 'type prod to go on:'
    prints 'the name prod was not typed'
    : >"$OUT"
done
is "$(hash_of prod.db)" "$before" "the database"
is "$(count prod)" 1 "backups: no safety backup was made"
typed 0 prod
has_rows prod.db 9
nothing_left
