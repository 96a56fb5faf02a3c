#!/bin/sh
# shellcheck disable=SC2016 # what another shell expands
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

config 'busy_timeout = "1s"' '[env.dev]' 'database = "data/app.db"'
mkdir data
ledger data/app.db 20
before=$(content data/app.db)
change='DELETE FROM entry WHERE id > 5'
sqlite3 data/app.db .dump | sqlite3 changed.db
sqlite3 changed.db "$change"
after=$(content changed.db)
again() {
    rm -rf data/app.db*
    sqlite3 data/app.db "$(printf '%s' "$before" | sed '/^[0-9]*$/d')"
    is "$(content data/app.db)" "$before" "the beginning"
}
# both STATUS-LINE: the last run could not roll back: the failed state is where it was, the one before is in the backup.
both() {
    says 'NOT rolled back: the rollback failed'
    is "$(content data/app.db)" "$after" "the present state"
    backup=$(sed -n 's/.*the present state is where it was, \(.*\) holds the one before.*/\1/p' "$ERR")
    [ -n "$backup" ] || wrong "no backup is named"
    says "go on with $1 -e dev --resume, or with restore-db -e dev $backup"
    expect 125 "$1" -e dev -- true
}

# Somebody else holds the database.
cat >hold <<'END'
import os, sqlite3, time
while not os.path.exists("go"):
    time.sleep(0.01)
db = sqlite3.connect("data/app.db", isolation_level=None)
db.execute("BEGIN IMMEDIATE")
db.execute("SELECT count(*) FROM entry")
open("held", "w").close()
time.sleep(60)
END
for run in 'safe-migrate -e dev --' 'safe-db-test -e dev --in-place --'; do
    rm -f go held
    python3 hold &
    holder=$!
    # shellcheck disable=SC2086 # they are words
    expect 121 $run sh -c "sqlite3 data/app.db '$change'; touch go; while [ ! -e held ]; do sleep 0.01; done; exit 3"
    case $run in
        safe-migrate*) both safe-migrate ;;
        *)
            says 'may not be as it was: bringing it back failed'
            is "$(content data/app.db)" "$after" "the present state"
            says 'safe-db-test -e dev --resume'
            ;;
    esac
    expect 121 "${run%% *}" -e dev --resume
    is "$(content data/app.db)" "$after" "the present state"
    kill $holder
    wait $holder 2>/dev/null || :
    expect 0 "${run%% *}" -e dev --resume
    is "$(content data/app.db)" "$before" "what came back"
    nothing_stands
done

# The backup is damaged, or gone: by the command itself. The clone that proved it is the state before.
for harm in 'printf X | dd of="$(echo backups/migrations/*/database.sqlite.gz)" bs=1 seek=300 conv=notrunc 2>/dev/null' 'rm -rf backups/migrations/*'; do
    rm -rf backups/migrations
    again
    expect 121 safe-migrate -e dev --json -- sh -c "sqlite3 data/app.db '$change'; $harm; exit 3"
    says 'NOT rolled back: the rollback failed'
    says 'is bad by now; a clone of the state before is kept at sqlite:'
    is "$(content data/app.db)" "$after" "the present state"
    clone=$(value .kept.location | sed 's/^sqlite://')
    drop=$(value .kept.drop)
    is "$(content "$clone")" "$before" "the clone"
    # Nobody takes it away, and nobody calls the database good.
    expect 125 safe-migrate -e dev -- true
    says 'an interrupted safe-migrate stands on'
    run safe-migrate -e dev --resume
    [ "$STATUS" = 121 ] || [ "$STATUS" = 125 ] || wrong "status $STATUS of --resume"
    expect 0 backup-db -e dev
    is "$(content "$clone")" "$before" "the clone"
    is "$(content data/app.db)" "$after" "the present state"
    # By hand.
    expect 0 restore-db -e dev --file "$clone"
    is "$(content data/app.db)" "$before" "what came back"
    expect 0 safe-migrate -e dev --abandon
    nothing_stands
    expect 0 safe-migrate -e dev -- true
    $drop
done
nothing_left

# Nothing can be written where the database is.
[ "$(id -u)" = 0 ] || exit 0
rm -rf data backups/migrations
mkdir data
mount -t tmpfs none data 2>"$ERR" || exit 0
trap 'mount -o remount,rw data; umount data' EXIT
again
expect 121 safe-migrate -e dev -- sh -c "sqlite3 data/app.db '$change'; mount -o remount,ro data; exit 3"
both safe-migrate
expect 121 safe-migrate -e dev --resume
mount -o remount,rw data
expect 0 safe-migrate -e dev --resume
is "$(content data/app.db)" "$before" "what came back"
nothing_stands
nothing_left
