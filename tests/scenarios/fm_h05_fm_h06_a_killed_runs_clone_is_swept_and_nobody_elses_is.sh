#!/bin/sh
# shellcheck disable=SC2016 # what another shell expands
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

config '[env.dev]' 'database = "app.db"' '[env.other]' 'database = "other.db"'
ledger app.db 10
ledger other.db 10
before=$(hash_of app.db)
ended() { ! kill -0 "$1" 2>/dev/null; }
# A run that is killed with its tests leaves its clone.
setsid safe-db-test -e dev -- sh -c 'echo "$SQLITE_PATH" >place; echo $$ >pid; sleep 60' &
victim=$!
wait_for "the tests" test -s pid
kill -9 "-$victim"
wait "$victim" 2>/dev/null || :
killed=$(dirname "$(cat place)")
has_rows "$killed/app.db" 10
nothing_stands
is "$(hash_of app.db)" "$before" "the real database"
# A running one has its own.
rm -f place pid
safe-db-test -e dev -- sh -c 'echo "$SQLITE_PATH" >place; echo $$ >pid; while [ ! -e enough ]; do sleep 0.02; done; sqlite3 "$SQLITE_PATH" "SELECT count(*) FROM entry"' >running 2>running.err &
running=$!
wait_for "the tests" test -s pid
[ ! -e "$killed" ] || wrong "the killed run's clone is still there"
# Folders that only have such a name, of any sort: none is touched.
mine=$(basename "$(dirname "$(cat place)")" | sed "s/-$running-/-999999999-/")
for name in "$mine" .scratch-mine.nosync .scratch-.nosync scratch-5bce98f7-1-x.nosync .clone-mine.nosync; do
    mkdir "backups/$name"
    echo mine >"backups/$name/app.db"
done
expect 0 safe-db-test -e dev -- true
expect 0 safe-migrate -e other -- true
expect 0 backup-db -e dev
for name in "$mine" .scratch-mine.nosync .scratch-.nosync scratch-5bce98f7-1-x.nosync .clone-mine.nosync; do
    is "$(cat "backups/$name/app.db")" mine "a file in $name"
    rm -r "backups/$name"
done
has_rows "$(cat place)" 10
touch enough
wait $running || wrong "the running one: $(cat running)"
is "$(cat running)" 10 "what its tests read"
nothing_left
# The watcher alone is killed: its tests go on to their end, on the clone, and nobody takes that away under them but by the next run.
rm -f place pid enough
safe-db-test -e dev -- sh -c 'echo "$SQLITE_PATH" >place; echo $$ >pid; while [ ! -e enough ]; do sleep 0.02; done' &
victim=$!
wait_for "the tests" test -s pid
kill -9 $victim
wait $victim 2>/dev/null || :
tests=$(cat pid)
kill -0 "$tests" || wrong "the tests ended with their watcher"
expect 0 safe-db-test -e other -- true
touch enough
wait_for "the end of the tests" ended "$tests"
expect 0 safe-db-test -e dev -- true
nothing_left

# A clone that is kept is nobody's to sweep; the two commands that are printed work as they stand.
expect 3 safe-db-test -e dev --keep -- sh -c 'sqlite3 {path} "DELETE FROM entry WHERE id > 4"; exit 3'
kept=$(sed -n 's/.*the clone is kept at sqlite://p' "$ERR")
open=$(sed -n 's/.*open it:  *//p' "$ERR")
drop=$(sed -n 's/.*remove it:  *//p' "$ERR")
expect 0 safe-db-test -e dev -- true
expect 0 backup-db -e dev
expect 0 backup-guard -e dev
has_rows "$kept" 4
is "$(echo 'SELECT count(*) FROM entry' | sh -c "$open")" 4 "what the printed command opens"
is "$(stat -c %a "$(dirname "$kept")" "$kept" | tr '\n' ' ')" "700 600 " "modes of the clone"
sh -c "$drop"
[ ! -e "$kept" ] || wrong "the printed command removed nothing"
expect 0 safe-db-test -e dev --keep --json -- true
is "$(value '.kept.location')" "sqlite:$(find "$PWD/backups" -path '*/.clone-*/app.db')" "the clone in the report"
sh -c "$(value .kept.drop)"
is "$(hash_of app.db)" "$before" "the real database"
nothing_stands
nothing_left
