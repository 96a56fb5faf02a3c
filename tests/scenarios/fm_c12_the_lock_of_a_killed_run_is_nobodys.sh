#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

big_ledger app.db 60
backup-db app.db >/dev/null 2>&1 &
victim=$!
wait_for "a staging folder" sh -c 'ls -d backups/.staging-*'
expect 5 backup-db app.db
says "pid $victim"
kill -9 "$victim"
wait "$victim" 2>/dev/null || :
# Also when the pid of the note lives on as another process: the note is not the lock.
for note in "$HOLDFAST_STATE_DIR"/locks/*; do
    jq -c ".pid = $$" "$note" >edited
    cat edited >"$note"
done
expect 0 backup-db app.db
is "$(count)" 1 "backups"
nothing_left
