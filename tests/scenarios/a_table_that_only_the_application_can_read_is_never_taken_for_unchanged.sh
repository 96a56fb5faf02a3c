#!/bin/sh
# A column sorts by a collation that only the application has: nothing can be said of its table, and nothing is.
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"
config '[env.dev]' 'database = "app.db"'
ledger app.db 10
# What the application would do; the sqlite3 program cannot, so the definition is written by hand.
sqlite3 app.db "CREATE TABLE word (k TEXT PRIMARY KEY, v INTEGER) WITHOUT ROWID; INSERT INTO word VALUES ('a', 1), ('b', 2)"
sqlite3 -cmd '.dbconfig defensive off' app.db "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE TABLE word (k TEXT COLLATE mine PRIMARY KEY, v INTEGER) WITHOUT ROWID' WHERE name = 'word'"
expect 0 safe-migrate -e dev -- true
expect 7 safe-migrate -e dev -- sh -c "sqlite3 app.db 'INSERT INTO entry (cents) VALUES (1)'; exit 7"
says 'rolled back'
has_rows_here() { is "$(rows app.db)" 10 "rows of app.db"; }
has_rows_here
expect 123 safe-migrate -e dev -- sqlite3 app.db 'INSERT INTO entry (cents) VALUES (1)'
says 'table word cannot be compared: only the application can read it'
has_rows_here
expect 122 safe-db-test -e dev --on-leak restore -- sqlite3 app.db 'INSERT INTO entry (cents) VALUES (1)'
has_rows_here
expect 0 safe-migrate -e dev --allow-loss word -- sqlite3 app.db 'INSERT INTO entry (cents) VALUES (1)'
is "$(rows app.db)" 11 "rows after a migration that was allowed"

# The rules of a run are those that it began with, and its check is judged like the command itself.
expect 123 safe-migrate -e dev --allow-loss word --check "sqlite3 app.db 'DELETE FROM entry WHERE id = 3'" -- true
is "$(rows app.db)" 11 "rows after a check that takes one"
expect 125 safe-migrate -e dev --report app.db -- true
says 'is the database: the report would replace it'
expect 125 safe-migrate -e dev --resume --allow-loss entry
