#!/bin/sh
# shellcheck disable=SC2016 # what another shell expands
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

config '[env.dev]' 'database = "app.db"'
ledger app.db 100
sqlite3 app.db 'ALTER TABLE entry ADD note TEXT; UPDATE entry SET note = id;
    CREATE TABLE payee (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT); INSERT INTO payee (name) VALUES (1), (2)'
before=$(content app.db)

# failed SQL ANSWER: the last command has failed, and everything is as before; the failed state is kept, and gives that answer.
failed() {
    says "; rolled back to 20"
    is "$(content app.db)" "$before" "what the database holds"
    is "$(sqlite3 "$(aside)" "$1")" "$2" "what the failed state holds"
}
changes() { expect 9 safe-migrate -e dev -- sh -c 'sqlite3 app.db "$0"; exit 9' "$1"; }
changes 'PRAGMA user_version = 12'
failed 'PRAGMA user_version' 12
changes "INSERT INTO payee (name) VALUES (3); DELETE FROM payee WHERE name = 3"
failed "SELECT seq FROM sqlite_sequence WHERE name = 'payee'" 3
changes 'CREATE VIEW v AS SELECT 1 AS one; CREATE INDEX i ON entry (cents)'
failed 'SELECT one FROM v' 1
changes 'UPDATE entry SET note = NULL WHERE id = 77'
failed 'SELECT count(note) FROM entry' 99
changes 'PRAGMA journal_mode = WAL; DROP TABLE entry'
failed "SELECT count(*) FROM sqlite_schema WHERE name = 'entry'" 0
# Also where there is no database left.
expect 5 safe-migrate -e dev -- sh -c 'echo "no database" >app.db; exit 5'
says "rolled back to"
is "$(cat "$(aside)")" "no database" "the failed state"
is "$(content app.db)" "$before" "what the database holds"
expect 5 safe-migrate -e dev -- sh -c 'rm app.db; exit 5'
says "rolled back to"
is "$(content app.db)" "$before" "what the database holds"
expect 123 safe-migrate -e dev -- rm app.db
says "the database is gone; rolled back to"
is "$(content app.db)" "$before" "what the database holds"
approved restore-db -e dev --discard
nothing_stands
nothing_left
