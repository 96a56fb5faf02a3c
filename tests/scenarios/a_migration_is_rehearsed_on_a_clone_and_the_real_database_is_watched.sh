#!/bin/sh
# shellcheck disable=SC2016 # what another shell expands
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

config '[env.dev]' 'database = "app.db"' 'clone_env = { LEDGER_FILE = "{path}", LEDGER_URL = "x-{url}-y" }'
ledger app.db 10
expect 0 backup-guard mark-env dev
before=$(content app.db)
real=$PWD/app.db
untouched() {
    is "$(content app.db)" "$before" "what the database holds"
    nothing_stands
    nothing_left
}
# The application finds its database by a variable: the clone's in the rehearsal, the real one's afterwards.
cat >migrate <<'END'
#!/bin/sh
{
    echo "$LEDGER_FILE|$LEDGER_URL|$DATABASE_URL|$SQLITE_PATH|$*"
    sqlite3 "${LEDGER_FILE:-app.db}" 'SELECT environment, role FROM holdfast_marker'
} >>places
sqlite3 "${LEDGER_FILE:-app.db}" "$SQL"
END
chmod 755 migrate
export DATABASE_URL="sqlite:///$real" OTHER="$real"

# A good one: first there, then here; and what it does is told beforehand.
SQL='ALTER TABLE entry ADD note TEXT; INSERT INTO entry (cents) VALUES (1)' \
    expect 0 safe-migrate -e dev --rehearse -- ./migrate '{path}' 'the {url}' '{nothing}'
says 'on the clone, in '
says '1 rows gained, 1 definition changed'
has_rows app.db 11
clone=$(head -n 1 places | cut -d'|' -f1)
case $clone in "$PWD"/backups/.scratch-*/app.db) ;; *) wrong "the clone was $clone" ;; esac
is "$(cat places)" "$clone|x-sqlite:///$clone-y|sqlite:///$clone|$clone|$clone the sqlite:///$clone {nothing}
dev|clone
||sqlite:///$real||$real the sqlite:///$real {nothing}
dev|real" "where the command worked"
nothing_stands
nothing_left
before=$(content app.db)

# Without a rehearsal the words stay as they are.
expect 0 safe-migrate -e dev -- sh -c 'echo {path} {url}'
prints '{path} {url}'
# A placeholder that SQLite has no value for.
expect 125 safe-migrate -e dev --rehearse -- ./migrate '{host}'
says '{host}'
# It fails there: nothing was done here, and its status passes.
SQL='UPDATE entry SET cents = 0; SELECT * FROM nowhere' expect 1 safe-migrate -e dev --rehearse -- ./migrate
says 'the real database was not touched: the rehearsal ended with status 1'
untouched
expect 137 safe-migrate -e dev --rehearse -- sh -c 'kill -9 $$'
untouched
# It loses rows there, or makes an end of the clone.
SQL='DELETE FROM entry WHERE id = 3' expect 123 safe-migrate -e dev --rehearse -- ./migrate
says "the real database was not touched, the rehearsal's result is rejected: table entry has lost 1 rows"
untouched
expect 123 safe-migrate -e dev --rehearse -- sh -c 'rm "$SQLITE_PATH"'
says "the real database was not touched, the rehearsal's result is rejected: the clone cannot be looked at"
untouched
expect 123 safe-migrate -e dev --rehearse -- sh -c 'echo garbage >"$SQLITE_PATH"'
says "the real database was not touched, the rehearsal's result is rejected"
untouched
# What may be lost may be lost: both times.
SQL='DELETE FROM entry WHERE id = 11' expect 0 safe-migrate -e dev --rehearse --max-row-loss 1 -- ./migrate
has_rows app.db 10
before=$(content app.db)

# A command that does not heed the variables reaches the real one, and that is undone.
expect 123 safe-migrate -e dev --rehearse -- sqlite3 "$real" 'INSERT INTO entry (cents) VALUES (1)'
says 'the rehearsal reached the real database: table entry has 11 rows, 1 more'
says '; rolled back to 20'
is "$(sqlite3 "$(aside)" 'SELECT count(*) FROM entry')" 11 "rows of the failed state"
untouched
expect 123 safe-migrate -e dev --rehearse -- sh -c 'sqlite3 app.db "DELETE FROM entry"; sqlite3 "$SQLITE_PATH" "DELETE FROM entry"; exit 3'
says 'the rehearsal reached the real database'
untouched
expect 123 safe-migrate -e dev --rehearse -- sh -c 'rm app.db; exit 1'
says 'the rehearsal reached the real database: the database is gone; rolled back to'
untouched
expect 123 safe-migrate -e dev --rehearse --on-failure keep -- sqlite3 "$real" 'INSERT INTO entry (cents) VALUES (1)'
says 'the database stays as it is'
has_rows app.db 11
nothing_stands
sqlite3 app.db 'DELETE FROM entry WHERE id = 11'
# An application that goes on working meanwhile is none of the command's business, and it is told.
sqlite3 app.db 'CREATE TABLE visit (at TEXT)'
SQL='UPDATE entry SET cents = 5' expect 0 safe-migrate -e dev --rehearse --json -- \
    sh -c 'test -z "$LEDGER_FILE" || sqlite3 "$0" "INSERT INTO visit VALUES (1)"; ./migrate' "$real"
says 'others wrote to the real database during the rehearsal: 1 table changed, 1 rows gained'
is "$(value '.outcome, .rehearsal.command_status, .rehearsal.changes.tables[0].change' | tr '\n' ' ')" "done 0 content " "the report"
is "$(sqlite3 app.db 'SELECT count(*) FROM visit')" 1 "what the application wrote"
# Rows in a table that the command works on may be its own: it is not run, and nothing of theirs is taken away.
SQL='UPDATE entry SET cents = 6' expect 123 safe-migrate -e dev --rehearse -- \
    sh -c 'test -z "$LEDGER_FILE" || sqlite3 "$0" "INSERT INTO entry (cents) VALUES (7)"; ./migrate' "$real"
says 'the command was not run on the real database: during the rehearsal the real database changed in what the command works on (entry)'
is "$(sqlite3 app.db 'SELECT count(*), sum(cents = 6), sum(cents = 7) FROM entry')" '11|0|1' "what the real database holds"
nothing_stands
nothing_left
