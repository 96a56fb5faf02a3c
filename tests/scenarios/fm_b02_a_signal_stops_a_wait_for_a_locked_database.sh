#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

ledger app.db 5
mkfifo hold
sqlite3 app.db <hold >/dev/null &
holder=$!
exec 3>hold
echo 'BEGIN EXCLUSIVE;' >&3
wait_for "the lock" sh -c '! sqlite3 app.db "SELECT * FROM entry"'
backup-db app.db >"$OUT" 2>"$ERR" &
victim=$!
sleep 0.5
kill -TERM "$victim"
STATUS=0
wait "$victim" || STATUS=$?
is "$STATUS" 143 "status while waiting"
exec 3>&-
wait "$holder"
expect 0 backup-db app.db
nothing_left
