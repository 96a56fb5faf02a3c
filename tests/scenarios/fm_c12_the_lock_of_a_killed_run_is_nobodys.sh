#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

big_ledger app.db 60
halted backup-db app.db
expect 5 backup-db app.db
says "pid $VICTIM"
kill -9 "$VICTIM"
wait "$VICTIM" 2>/dev/null || :
# Also when the pid of the note lives on as another process: the note is not the lock.
for note in "$HOLDFAST_STATE_DIR"/locks/*; do
    jq -c ".pid = $$" "$note" >edited
    cat edited >"$note"
done
expect 0 backup-db app.db
is "$(count)" 1 "backups"
nothing_left
