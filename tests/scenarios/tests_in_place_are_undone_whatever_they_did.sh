#!/bin/sh
# shellcheck disable=SC2016 # what another shell expands
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

config '[env.dev]' 'database = "app.db"'
ledger app.db 20
sqlite3 app.db 'CREATE TABLE payee (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT); INSERT INTO payee (name) VALUES (1), (2)'
before=$(content app.db)
undone() {
    is "$(content app.db)" "$before" "what the database holds"
    nothing_stands
    nothing_left
}
# Their own environment: the real database is theirs.
expect 0 safe-db-test -e dev --in-place -- sh -c 'echo "${DATABASE_URL-none} ${SQLITE_PATH-none}"'
prints 'none none'
undone
[ -z "$(find . -name 'app.db?*')" ] || wrong "something is kept aside of nothing"
for tests in 'INSERT INTO entry (cents) VALUES (1)' 'DELETE FROM entry' 'DROP TABLE entry; DROP TABLE payee' 'UPDATE payee SET name = 9 WHERE id = 1' \
    'CREATE VIEW v AS SELECT 1' 'PRAGMA user_version = 4' "INSERT INTO payee (name) VALUES (1); DELETE FROM payee WHERE id = 3" \
    'PRAGMA journal_mode = WAL; DELETE FROM entry' 'PRAGMA page_size = 8192; VACUUM; DELETE FROM entry'; do
    expect 0 safe-db-test -e dev --in-place -- sqlite3 app.db "$tests"
    prints_nothing_but_pragmas=$(grep -v -e wal "$OUT" || :)
    is "$prints_nothing_but_pragmas" '' "what was printed"
    undone
done
expect 7 safe-db-test -e dev --in-place -- sh -c 'sqlite3 app.db "DELETE FROM entry"; exit 7'
undone
expect 137 safe-db-test -e dev --in-place -- sh -c 'sqlite3 app.db "DELETE FROM entry"; kill -9 $$'
undone
expect 0 safe-db-test -e dev --in-place -- rm app.db
undone
expect 1 safe-db-test -e dev --in-place --json -- sh -c 'echo garbage >app.db; exit 1'
is "$(value '.command_status, .state, .clone' | tr '\n' ' ')" "1 brought_back null " "the report"
undone
# Of what the tests left, the last is kept to be looked at, and no others.
is "$(find . -name 'app.db.before-*' | wc -l)" 1 "states kept aside"
is "$(cat app.db.before-*)" garbage "the last one"
# What a migration left stays.
expect 1 safe-migrate -e dev -- sh -c 'sqlite3 app.db "DELETE FROM entry"; exit 1'
failed=$(aside)
expect 0 safe-db-test -e dev --in-place -- sqlite3 app.db 'DELETE FROM payee'
expect 0 safe-db-test -e dev --in-place -- sqlite3 app.db 'DELETE FROM payee WHERE id = 1'
undone
is "$(find . -name 'app.db.before-*' | wc -l)" 2 "states kept aside"
is "$(sqlite3 "$failed" 'SELECT count(*) FROM entry')" 0 "rows of the failed migration"
# A watcher that is killed: its tests end, and then they are undone.
sh -c 'safe-db-test -e dev --in-place -- sh -c "sqlite3 app.db \"DELETE FROM entry\"; touch tested; while [ ! -e enough ]; do sleep 0.02; done" & echo $! >watcher; wait' 2>"$ERR" &
wait_for "the tests" test -e tested
kill -9 "$(cat watcher)"
wait
expect 125 safe-db-test -e dev --in-place -- true
says 'is still running on'
expect 125 safe-migrate -e dev -- true
touch enough
wait_for "the end of the tests" sh -c '! safe-db-test -e dev -- true 2>&1 | grep "is still running"'
expect 125 safe-db-test -e dev -- true
says 'since then: 1 table changed, 20 rows lost'
expect 0 safe-db-test -e dev --resume -n
prints "is brought back, and the present one kept aside"
has_rows app.db 0
expect 0 safe-db-test -e dev --resume
is "$(content app.db)" "$before" "what the database holds"
expect 125 safe-db-test -e dev --resume
says 'no interrupted run stands on'
expect 0 safe-db-test -e dev --in-place -- true
undone
