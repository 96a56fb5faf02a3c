#!/bin/sh
# shellcheck disable=SC2016 # what another shell expands
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

config '[env.dev]' 'database = "app.db"' '[env.undo]' 'database = "app.db"' 'on_leak = "restore"'
ledger app.db 50
sqlite3 app.db 'CREATE TABLE payee (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT); INSERT INTO payee (name) VALUES (1), (2); CREATE TABLE log (line)'
cp app.db before.db
before=$(content app.db)
back() {
    rm -f app.db app.db?*
    cp before.db app.db
}
hard_coded="$PWD/app.db"

# leaks SQL WHAT: tests with a hard-coded path are caught, whatever their own status says.
leaks() {
    expect 122 safe-db-test -e dev -- sqlite3 "$hard_coded" "$1"
    says "the tests reached the real database sqlite:$PWD/app.db, and it is as they left it: "
    says "$2"
    says "hint: restore-db -e dev 20"
    [ "$(content app.db)" != "$before" ] || wrong "nothing was changed"
    expect 0 restore-db -e dev "$(sed -n 's/^hint: restore-db -e dev \(.*\) brings it back/\1/p' "$ERR")"
    is "$(content app.db)" "$before" "what the database holds"
    rm -f app.db?*
}
leaks 'INSERT INTO entry (cents) VALUES (1); DELETE FROM payee WHERE id = 1' 'table entry has 51 rows, 1 more'
leaks 'UPDATE entry SET cents = 1 WHERE id = 50' 'table entry has as many rows (50), but not the same'
leaks 'DROP TABLE entry; DROP TABLE payee; DROP TABLE log' 'table payee is gone, with its 2 rows'
leaks 'CREATE TABLE entry_test AS SELECT * FROM entry' 'table entry_test is new, with 50 rows'
leaks 'CREATE INDEX i ON entry (cents)' 'CREATE INDEX i ON entry (cents)'
leaks 'PRAGMA user_version = 3' 'PRAGMA user_version = 3'
# What was put in and taken out again was there: the counter of the table tells.
leaks "INSERT INTO payee (name) VALUES (3); DELETE FROM payee WHERE name = 3" 'table sqlite_sequence is not the same'
# All of it, also beside what was right.
expect 122 safe-db-test -e dev --json -- sh -c 'sqlite3 "$SQLITE_PATH" "DELETE FROM entry"; sqlite3 "$0" "DELETE FROM entry WHERE id < 4; DELETE FROM payee"; exit 9' "$hard_coded"
is "$(value '.command_status, .state, (.leak.tables[] | .table, .before, .after)' | tr '\n' ' ')" "9 leaked entry 50 47 payee 2 0 " "the report"
back
# No database is left at all.
expect 122 safe-db-test -e dev -- rm "$hard_coded"
says 'and it is as they left it: the database is gone'
back
expect 122 safe-db-test -e dev -- sh -c 'head -c 9000 /dev/urandom >"$0"' "$hard_coded"
says "app.db is not a SQLite database"
back

# undone SQL-SCRIPT: on_leak = restore brings it back at once, and it is still a leak.
undone() {
    expect 122 safe-db-test "$@"
    says 'the tests reached the real database'
    says 'and it was brought back: '
    is "$(content app.db)" "$before" "what the database holds"
    nothing_stands
}
undone -e undo -- sqlite3 "$hard_coded" 'DELETE FROM entry'
is "$(sqlite3 "$(sed -n 's/^hint: what they left is kept as \([^;]*\);.*/\1/p' "$ERR")" 'SELECT count(*) FROM entry')" 0 "rows of what they left"
undone -e undo -- sh -c 'sqlite3 app.db "DROP TABLE entry; UPDATE payee SET name = 0"; exit 1'
undone -e undo -- rm app.db
undone -e undo -- sh -c 'echo nothing >app.db; exit 1'
undone -e dev --on-leak restore -- sqlite3 "$hard_coded" 'DELETE FROM entry'
expect 122 safe-db-test -e undo --on-leak report -- sqlite3 "$hard_coded" 'DELETE FROM entry'
has_rows app.db 0
back
# Reading is no leak; nor is what leaves everything as it was.
expect 0 safe-db-test -e dev -- sqlite3 "$hard_coded" 'SELECT sum(cents) FROM entry; BEGIN; DELETE FROM entry; ROLLBACK'
expect 0 safe-db-test -e dev -- sqlite3 "$hard_coded" 'VACUUM'
nothing_stands
nothing_left
