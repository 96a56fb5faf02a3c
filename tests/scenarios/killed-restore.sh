# A restore and its undo, killed at each of their steps in turn; \$MODE is the journal mode of the database.
# shellcheck shell=sh disable=SC2154 # MODE is the caller's

# old: the target holds 10 rows, and nothing of an earlier restore lies beside it.
old() {
    rm -f app.db app.db-wal app.db-shm app.db-journal app.db.before-*
    cp old.db app.db
}
old_or_new() {
    found=$(rows app.db)
    [ "$found" = 10 ] || [ "$found" = 20 ] || wrong "$1: $found rows, neither 10 nor 20"
    has_rows app.db "$found"
    all_verify -q -e dev
}

config '[env.dev]' 'database = "app.db"'
ledger app.db 20
sqlite3 app.db "PRAGMA journal_mode = $MODE" >/dev/null
expect 0 backup-db -e dev
good=$(made)
sqlite3 app.db 'DELETE FROM entry WHERE id > 10'
mv app.db old.db

at_step=0
found_old=0
found_new=0
while :; do
    at_step=$((at_step + 1))
    old
    run env HOLDFAST_TEST_STOP_AT=$at_step restore-db -e dev "$good"
    [ "$STATUS" != 0 ] || break
    is "$STATUS" 137 "status of the restore killed at step $at_step"
    old_or_new "a restore killed at step $at_step"
    # What is there can be undone or not; either way nothing is lost that was there before.
    if [ "$found" = 20 ]; then
        found_new=1
        expect 0 restore-db -e dev --undo
        has_rows app.db 10
    else
        found_old=1
        run restore-db -e dev --undo
        has_rows app.db 10
    fi
    expect 0 restore-db -e dev "$good"
    has_rows app.db 20
    nothing_left
    expect 0 restore-db -e dev --undo
    has_rows app.db 10
done
is "$found_old$found_new" 11 "whether old and new states were both seen"
[ "$at_step" -gt 30 ] || wrong "only $at_step steps"

at_step=0
while :; do
    at_step=$((at_step + 1))
    old
    expect 0 restore-db -e dev "$good"
    run env HOLDFAST_TEST_STOP_AT=$at_step restore-db -e dev --undo
    [ "$STATUS" != 0 ] || break
    is "$STATUS" 137 "status of the undo killed at step $at_step"
    old_or_new "an undo killed at step $at_step"
    # Where the old rows have not come back yet, the next undo brings them.
    if [ "$found" = 20 ]; then
        expect 0 restore-db -e dev --undo
        has_rows app.db 10
    fi
    expect 0 restore-db -e dev "$good"
    has_rows app.db 20
    nothing_left
done
has_rows app.db 10
