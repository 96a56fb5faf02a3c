#!/bin/sh
# shellcheck disable=SC2012,SC2016 # names of ours; what another shell expands
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

config '[env.dev]' 'database = "app.db"' '[env.other]' 'database = "other.db"'
ledger app.db 10
ledger other.db 5
cat >Makefile <<'END'
migrate:
	@safe-migrate -e dev -- sh -c 'cat; sqlite3 app.db "$(SQL)"; exit $(STATUS)'
END
made() { ls backups/migrations 2>/dev/null | wc -l; }

printf 'input' | safe-migrate -e dev -- make -s migrate SQL='ALTER TABLE entry ADD note TEXT' STATUS=0 >"$OUT" 2>"$ERR"
is "$(cat "$OUT")" input "what the innermost command read and wrote"
is "$(made)" 1 "backups"
has_rows app.db 10
is "$(sqlite3 app.db 'SELECT count(*) FROM pragma_table_info("entry")')" 3 "columns"
# The status of the innermost passes all of them, and the outermost rolls back.
expect 7 safe-migrate -e dev -- safe-migrate -e dev --check false --no-prove -- sh -c 'sqlite3 app.db "DELETE FROM entry"; exit 7'
says 'the command failed (status 7); rolled back to 20'
has_rows app.db 10
is "$(made)" 2 "backups"
# It judges, and the inner one's rules do not count.
expect 123 safe-migrate -e dev -- sh -c 'safe-migrate -e dev --max-row-loss 50% -- sqlite3 app.db "DELETE FROM entry WHERE id = 1"'
has_rows app.db 10
expect 127 safe-migrate -e dev -- sh -c 'safe-migrate -e dev -- ./nowhere'
expect 125 safe-migrate -e dev -- sh -c 'safe-migrate -e dev --nonsense -- true'
is "$(made)" 5 "backups"
# A dry run inside only says so.
expect 0 safe-migrate -e dev -- safe-migrate -e dev -n -- sqlite3 app.db 'DELETE FROM entry'
prints 'inside safe-migrate: the command runs as it is'
has_rows app.db 10
# In a rehearsal it is inside, too: nothing but the clone is touched before its time.
expect 3 safe-migrate -e dev --rehearse -- safe-migrate -e dev -- sh -c 'sqlite3 "$SQLITE_PATH" "DELETE FROM entry"; exit 3'
says 'the real database was not touched'
has_rows app.db 10
is "$(made)" 7 "backups"
# Another database inside is one of its own, with its own backup and its own judgement.
expect 123 safe-migrate -e dev -- safe-migrate -e other -- sqlite3 other.db 'DELETE FROM entry WHERE id = 1'
has_rows other.db 5
is "$(made)" 9 "backups"
# Whoever only claims to be inside is not.
expect 123 env HOLDFAST_RUN=0123456789abcdef safe-migrate -e dev -- sqlite3 app.db 'DELETE FROM entry WHERE id = 1'
has_rows app.db 10
is "$(made)" 10 "backups"

# Tests inside a migration would run on the database that is being migrated: they do not.
expect 125 safe-migrate -e dev -- safe-db-test -e dev -- sqlite3 app.db 'DELETE FROM entry'
says 'is being migrated by'
has_rows app.db 10
expect 125 safe-migrate -e dev -- safe-db-test -e dev --in-place -- sqlite3 app.db 'DELETE FROM entry'
has_rows app.db 10
# Inside tests in place both run as they are, since all of it is put back.
expect 4 safe-db-test -e dev --in-place -- sh -c 'safe-migrate -e dev -- sqlite3 app.db "DELETE FROM entry WHERE id < 5"
    safe-db-test -e dev -- sh -c "exit $(sqlite3 app.db "SELECT count(*) - 2 FROM entry")"'
has_rows app.db 10
# Beside tests on a clone, a migration of the real database has to wait for its turn.
expect 125 safe-db-test -e dev -- safe-migrate -e dev -- sqlite3 app.db 'DELETE FROM entry'
says 'is busy: held by safe-db-test'
has_rows app.db 10
nothing_stands
nothing_left
