#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

config 'busy_timeout = "1s"' '[env.dev]' 'database = "app.db"'
ledger app.db 20
sqlite3 app.db 'PRAGMA journal_mode = WAL' >/dev/null
expect 0 backup-db -e dev
mkfifo ask
sqlite3 app.db <ask >answers &
application=$!
exec 3>ask
echo 'DELETE FROM entry WHERE id > 10; SELECT count(*) FROM entry;' >&3
wait_for "the application's answer" grep -qx 10 answers
[ -s app.db-wal ] || wrong "nothing is in the log"
expect 0 restore-db -e dev latest
has_rows app.db 20
echo 'SELECT count(*) FROM entry;' >&3
wait_for "the restored rows in the open application" grep -qx 20 answers
# It writes on, and nothing of what was restored is lost when it closes.
echo 'INSERT INTO entry (cents) VALUES (1); BEGIN IMMEDIATE; INSERT INTO entry (cents) VALUES (2); SELECT count(*) FROM entry;' >&3
wait_for "the application's second answer" grep -qx 22 answers
run restore-db -e dev latest
is "$STATUS" 5 "status while a transaction is open"
echo 'COMMIT; SELECT count(*) + 1000 FROM entry;' >&3
wait_for "the application's commit" grep -qx 1022 answers
exec 3>&-
wait "$application"
has_rows app.db 22
nothing_left
all_verify -q -e dev
