#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

config '[env.dev]' 'database = "app.db"'
ledger app.db 100

# A good one stays, and its status is 0.
expect 0 safe-migrate -e dev -- sqlite3 app.db 'ALTER TABLE entry ADD note TEXT; UPDATE entry SET note = id; INSERT INTO entry (cents) VALUES (5)'
prints_nothing
has_rows app.db 101
is "$(sqlite3 app.db 'SELECT count(note) FROM entry')" 100 "rows with the new column"
nothing_stands
nothing_left
is "$(backups migrations | wc -l)" 1 "backups before a migration"
before=$(content app.db)

# failed SQL ANSWER: the last command has failed, and everything is as before; the failed state is kept, and gives that answer.
failed() {
    says "; rolled back to 20"
    is "$(content app.db)" "$before" "what the database holds"
    has_rows app.db 101
    is "$(sqlite3 "$(aside)" "$1")" "$2" "what the failed state holds"
    nothing_stands
    nothing_left
    approved restore-db -e dev --discard
    is "$(find . -name 'app.db?*')" '' "what lies beside the database"
}
# Statement 3 of 5 fails, and the two before it have been committed.
expect 1 safe-migrate -e dev -- sqlite3 -bail app.db \
    'CREATE TABLE a (x); DELETE FROM entry WHERE id <= 50; INSERT INTO nowhere VALUES (1); DROP TABLE entry; DROP TABLE a'
says 'the command failed (status 1)'
failed 'SELECT count(*), (SELECT count(*) FROM a) FROM entry' '51|0'
# Every status of a command is its own.
for status in 120 121 255; do
    expect $status safe-migrate -e dev -- sh -c "sqlite3 app.db 'INSERT INTO entry (cents) VALUES (1)'; exit $status"
    failed 'SELECT count(*) FROM entry' 102
done
# Ended by a signal: 128 + n.
for signal in 15 9 11; do
    expect $((128 + signal)) safe-migrate -e dev -- sh -c "sqlite3 app.db 'DELETE FROM entry WHERE id = 1'; kill -$signal \$\$"
    failed 'SELECT count(*) FROM entry' 100
done
# One that failed and changed nothing needs no rollback, and keeps nothing aside.
expect 7 safe-migrate -e dev -- sh -c "sqlite3 app.db 'BEGIN; DELETE FROM entry; ROLLBACK'; exit 7"
says 'the command failed (status 7); the database is exactly as it was before'
expect 7 safe-migrate -e dev -- sh -c "sqlite3 app.db 'CREATE TABLE t (x); DROP TABLE t'; exit 7"
says 'the database is exactly as it was before'
is "$(content app.db)" "$before" "what the database holds"
is "$(find . -name 'app.db?*')" '' "what lies beside the database"
nothing_stands
all_verify -q -e dev
