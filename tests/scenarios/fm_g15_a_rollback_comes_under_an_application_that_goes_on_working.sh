#!/bin/sh
# shellcheck disable=SC2013,SC2018,SC2019 # words; names of ours
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

config '[env.dev]' 'database = "app.db"' 'restart = ["touch", "restarted"]'
# An application that keeps the database open, reads it again and again, and writes into a table of its own.
cat >application <<'END'
import os, sqlite3, time
db = sqlite3.connect("app.db", isolation_level=None, timeout=20)
seen = set()
n = 0
while not os.path.exists("enough"):
    rows, total = db.execute("SELECT count(*), sum(cents) FROM entry").fetchone()
    seen.add((rows, total))
    if os.path.exists("write"):
        n += 1
        db.execute("INSERT INTO visit (n) VALUES (?)", (n,))
        os.rename("write", "written")
    open("up", "w").close()
    time.sleep(0.01)
print(" ".join(sorted(f"{rows}:{total}" for rows, total in seen)))
END
for mode in DELETE WAL; do
    rm -f app.db* up enough write written restarted
    ledger app.db 100
    sqlite3 app.db "PRAGMA journal_mode = $mode; CREATE TABLE visit (n INTEGER)" >"$OUT"
    before=$(content app.db)
    python3 application >seen 2>said &
    application=$!
    wait_for "the application" test -e up
    # It fails: the old state comes under the application, which sees one state or the other and nothing between.
    expect 3 safe-migrate -e dev -- sh -c 'sqlite3 -cmd ".timeout 9000" app.db "DELETE FROM entry WHERE id > 40"; sleep 0.1; exit 3'
    says '; rolled back to 20'
    is "$(content app.db)" "$before" "$mode: what the database holds"
    is "$(sqlite3 app.db 'PRAGMA journal_mode')" "$(echo $mode | tr A-Z a-z)" "$mode: the journal mode"
    [ -e restarted ] || wrong "$mode: nothing was restarted"
    # What it writes meanwhile is no loss, and where it comes to a rollback it is in the failed state, with the time in the report.
    expect 3 safe-migrate -e dev --json -- sh -c 'touch write; while [ ! -e written ]; do sleep 0.01; done; sqlite3 -cmd ".timeout 9000" app.db "DELETE FROM entry WHERE id > 40"; exit 3'
    is "$(content app.db)" "$before" "$mode: what the database holds"
    is "$(sqlite3 "$(aside)" 'SELECT count(*) FROM visit')" 1 "$mode: what was written meanwhile, in the failed state"
    value .backup_at | grep -q '^20..-..-..T..:..:..Z$' || wrong "$mode: the report does not say of when the backup is"
    rm -f written
    expect 0 safe-migrate -e dev -- sh -c 'touch write; while [ ! -e written ]; do sleep 0.01; done; sqlite3 -cmd ".timeout 9000" app.db "UPDATE entry SET cents = cents + 1"'
    is "$(sqlite3 app.db 'SELECT count(*) FROM visit')" 1 "$mode: what was written meanwhile"
    touch enough
    wait $application || wrong "$mode: the application failed: $(cat said)"
    for state in $(cat seen); do
        case $state in 100:35350 | 100:35450 | 40:5740) ;; *) wrong "$mode: the application has seen $(cat seen)" ;; esac
    done
    nothing_stands
    nothing_left
done

# A command that was killed in the middle of a transaction left a journal that SQLite has to play back first.
rm -f app.db*
ledger app.db 3000
before=$(content app.db)
cat >cut-off <<'END'
import os, signal, sqlite3, sys
db = sqlite3.connect("app.db", isolation_level=None)
db.execute("PRAGMA cache_size = 1")
db.execute("PRAGMA journal_mode = " + sys.argv[1])
if sys.argv[2] == "commit":
    db.execute("DELETE FROM entry WHERE id = 1")
db.execute("BEGIN IMMEDIATE")
db.execute("UPDATE entry SET cents = 0")
os.kill(os.getpid(), signal.SIGKILL)
END
for mode in delete wal; do
    expect 137 safe-migrate -e dev -- python3 cut-off $mode rollback
    says 'the database is exactly as it was before'
    is "$(content app.db)" "$before" "$mode: what the database holds"
    expect 137 safe-migrate -e dev -- python3 cut-off $mode commit
    says '; rolled back to 20'
    is "$(content app.db)" "$before" "$mode: what the database holds"
done
# One that builds a new file and renames it over the old one; through a link, too.
rename='cp app.db new.db; sqlite3 new.db "DELETE FROM entry WHERE id > 7"; mv new.db app.db'
expect 3 safe-migrate -e dev -- sh -c "$rename; exit 3"
is "$(content app.db)" "$before" "what the database holds"
mkdir 'some where'
mv app.db 'some where/real.db'
rm -f app.db?*
ln -s 'some where/real.db' app.db
expect 3 safe-migrate -e dev -- sh -c 'sqlite3 app.db "DELETE FROM entry WHERE id > 7"; exit 3'
[ -L app.db ] || wrong "the link is gone"
is "$(content app.db)" "$before" "what the database holds"
# Where the link itself is replaced, nobody pretends to know what the application will find.
expect 121 safe-migrate -e dev -- sh -c "$rename; exit 3"
says "the database was sqlite:$PWD/some where/real.db, and what names it leads to sqlite:$PWD/app.db now"
is "$(content 'some where/real.db')" "$before" "the old database"
rm app.db
ln -s 'some where/real.db' app.db
expect 0 safe-migrate -e dev --resume
is "$(content app.db)" "$before" "what the database holds"
nothing_stands
expect 0 safe-migrate -e dev -- true
nothing_left
