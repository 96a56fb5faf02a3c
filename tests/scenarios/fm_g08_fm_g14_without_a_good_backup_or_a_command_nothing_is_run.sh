#!/bin/sh
# shellcheck disable=SC2086 # words
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

config 'busy_timeout = "1s"' '[env.dev]' 'database = "app.db"' '[env.prod]' 'database = "prod.db"' 'protected = true' \
    '[env.ask]' 'database = "app.db"' 'on_failure = "ask"' '[env.empty]' 'database = "empty.db"' '[env.checked]' 'database = "app.db"' 'check = ["nowhere"]'
ledger app.db 10
ledger prod.db 10
before=$(hash_of app.db)
touched='touch ran; sqlite3 app.db "DELETE FROM entry"'
# untouched: nothing was run, and nothing was made of it.
untouched() {
    [ ! -e ran ] || wrong "the command ran"
    is "$(hash_of app.db)" "$before" "the database"
    prints_nothing
    nothing_stands
    nothing_left
}
# storeless: and no store was made.
storeless() {
    untouched
    [ ! -e backups ] || wrong "a store was made"
}
printf 'text' >text
printf '#!/nowhere\n' >script
chmod 755 script
mkdir folder
for tool in 'safe-migrate -e dev' 'safe-db-test -e dev' 'safe-db-test -e dev --in-place'; do
    expect 127 $tool -- ./nowhere
    says 'cannot run ./nowhere: not found'
    storeless
    expect 127 $tool -- no-such-program
    storeless
    expect 126 $tool -- ./text
    storeless
    expect 126 $tool -- ./folder
    storeless
    expect 126 $tool -- ./script
    says 'the interpreter'
    storeless
    # Wrong usage.
    expect 125 $tool
    storeless
    expect 125 $tool --
    storeless
    expect 125 $tool --no-such-flag -- sh -c "$touched"
    storeless
    expect 125 $tool sh -c "$touched"
    storeless
    expect 125 $tool -e nowhere -- sh -c "$touched"
    storeless
    expect 125 $tool -c nowhere.toml -- sh -c "$touched"
    storeless
    expect 125 $tool missing.db -- sh -c "$touched"
    says 'there is no database'
    expect 125 $tool -e empty -- sh -c "$touched"
    rm -rf backups "$HOLDFAST_STATE_DIR"
    storeless
    # A dry run runs nothing either.
    run $tool -n -- sh -c "$touched"
    is "$STATUS" 0 "status of a dry run"
    : >"$OUT"
    storeless
done
for wrong in '--timeout 5' '--timeout soon' '--max-row-loss -1' '--max-row-loss 101%' '--allow-loss =3' '--on-failure maybe' '--check ' \
    '--resume --abandon' '--rehearse --no-prove' '--lock-timeout 5s'; do
    # shellcheck disable=SC2086 # they are words
    expect 125 safe-migrate -e dev $wrong -- sh -c "$touched"
    untouched
done
expect 125 safe-db-test -e dev --keep --in-place -- sh -c "$touched"
expect 125 safe-db-test -e dev --in-place -- sh -c "$touched" '{path}'
says '{path} stands for a clone'
rm -rf backups "$HOLDFAST_STATE_DIR"
# What the rules forbid.
expect 125 safe-migrate -e dev --on-failure ask -- sh -c "$touched"
says 'there is no terminal to ask at'
expect 125 safe-migrate -e ask -- sh -c "$touched"
expect 125 safe-migrate -e prod --no-prove -- sh -c "$touched"
says 'protected'
expect 125 safe-db-test -e prod -- sh -c "$touched"
says 'protected'
expect 125 safe-db-test -e prod --in-place -- sh -c "$touched"
expect 125 safe-db-test -e prod -n -- sh -c "$touched"
storeless
expect 125 safe-migrate -e prod -- sh -c "$touched"
says '--confirm prod'
expect 125 safe-migrate -e checked -- sh -c "$touched"
says 'the check: nowhere is not found'
expect 125 safe-migrate -e dev --check './nowhere now' -- sh -c "$touched"
says 'the check: cannot run ./nowhere'
untouched
rm -rf backups "$HOLDFAST_STATE_DIR"
before=$(hash_of app.db)

# The backup cannot be made.
python3 -c 'import sqlite3, time
db = sqlite3.connect("app.db", isolation_level=None)
db.execute("BEGIN EXCLUSIVE")
open("locked", "w").close()
time.sleep(60)' &
holder=$!
wait_for "a lock" test -e locked
for tool in 'safe-migrate -e dev' 'safe-db-test -e dev' 'safe-db-test -e dev --in-place'; do
    expect 125 $tool -- sh -c "$touched"
    says 'app.db is locked by another program'
done
kill $holder
untouched
is "$(count)$(backups migrations)" 0 "backups"
printf 'no database' >text
expect 125 safe-migrate text -e dev -- sh -c "$touched"
untouched
cp app.db broken.db
printf 'XXXXXXXXXXXXXXXX' | dd of=broken.db bs=1 seek=4096 conv=notrunc 2>"$ERR"
expect 125 safe-migrate broken.db -e dev -- sh -c "$touched"
untouched
# The store is gone, or is another one.
expect 0 safe-migrate -e dev -- true
mv backups elsewhere
for tool in 'safe-migrate -e dev' 'safe-db-test -e dev' 'safe-db-test -e dev --in-place'; do
    expect 125 $tool -- sh -c "$touched"
    says 'was a store'
    untouched
done
mv elsewhere backups
# The backup does not pass: the configuration's own query says that this is no ledger.
cat >>holdfast.toml <<'END'
[env.odd]
database = "app.db"
assert = ["SELECT count(*) > 10 FROM entry"]
END
expect 125 safe-migrate -e odd -- sh -c "$touched"
says 'the backup before the migration: the backup does not pass restore: assert'
expect 125 safe-db-test -e odd -- sh -c "$touched"
untouched
# Without the proof it is run, and a failure goes back all the same: what was there was there.
expect 3 safe-migrate -e odd --no-prove -- sh -c "$touched; exit 3"
says 'rolled back to'
has_rows app.db 10
rm ran
[ "$(id -u)" = 0 ] || exit 0
# A full disk.
mkdir disk
mount -t tmpfs -o size=100k none disk 2>"$ERR" || exit 0
trap 'umount disk' EXIT
head -c 60000 /dev/zero >disk/ballast
before=$(hash_of app.db)
for tool in 'safe-migrate -e dev' 'safe-db-test -e dev' 'safe-db-test -e dev --in-place'; do
    expect 125 $tool --store disk/backups -- sh -c "$touched"
    untouched
done
