#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

# At moments no step knows: inside SQLite, inside a compressor. HOLDFAST_SOAK=1 makes it a long test.
kills=20
[ -z "${HOLDFAST_SOAK:-}" ] || kills=1000
echo "seed $SEED" >&2
config '[env.dev]' 'database = "app.db"' '[env.dev.retention]' 'keep_last = 3'
big_ledger app.db 8
sqlite3 app.db 'PRAGMA journal_mode = WAL' >/dev/null
expect 0 backup-db -e dev
good=./good
cp -a "$(backup)" good
sqlite3 app.db 'DELETE FROM entry WHERE id > 5'

# killed COMMAND…: kills it after 0 to 199 ms.
killed() {
    "$@" >"$OUT" 2>"$ERR" &
    victim=$!
    sleep "0.$(printf '%03d' "$(random 200)")"
    kill -9 "$victim" 2>/dev/null || :
    wait "$victim" 2>/dev/null || :
}
done_kills=0
while [ "$done_kills" -lt "$kills" ]; do
    done_kills=$((done_kills + 2))
    killed backup-db -e dev
    all_verify -q -e dev
    killed restore-db -e dev "$good" --no-safety-backup
    found=$(rows app.db)
    [ "$found" = 5 ] || [ "$found" = 10 ] || wrong "$found rows, neither 5 nor 10"
    has_rows app.db "$found"
    sqlite3 app.db 'DELETE FROM entry WHERE id > 5'
    rm -f app.db.before-*
done
expect 0 restore-db -e dev "$good"
expect 0 backup-db -e dev
has_rows app.db 10
nothing_left
all_verify -q -e dev
