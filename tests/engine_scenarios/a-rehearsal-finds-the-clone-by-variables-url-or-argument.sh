# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
. "$WORDS"
make_ledger
config '[env.dev]' "database = \"$URL\""
before=$(picture)
# Three ways to one clone, none of which may reach the real database.
make_migration by_variables variables <<'SQL'
CREATE TABLE invoice (id integer);
SQL
make_migration by_url url <<'SQL'
DELETE FROM entry WHERE id <= 10;
SQL
make_migration by_argument argument <<'SQL'
DELETE FROM mark;
SQL
make_program all './by_variables && ./by_url && exec ./by_argument "$@"'
expect 123 safe-migrate -e dev --rehearse --report report.json -- ./all '{url}'
holds err "table ${SCHEMA}entry has lost 10 rows"
holds err "CREATE TABLE $(as_written invoice)"
is "$(told '.outcome + " " + .state.state')" 'rehearsal_rejected unchanged'
is "$(told '.rehearsal.changes.tables | map(.table + " " + .change) | join(", ")')" "${SCHEMA}entry rows, ${SCHEMA}invoice added, ${SCHEMA}mark rows"
[ "$(picture)" = "$before" ] || wrong "a rehearsal has reached the real database"

# One that fails there is not begun on the real one.
make_migration failing <<'SQL'
INSERT INTO account VALUES (1, 'again', 0);
SQL
expect "$FAILED_STATEMENT" client_env safe-migrate -e dev --rehearse -- ./failing
holds err 'the real database was not touched'
[ "$(picture)" = "$before" ] || wrong "a failed rehearsal has reached the real database"

# And one that does well there does it again on the real one.
expect 0 client_env safe-migrate -e dev --rehearse -- ./by_variables
is "$(rows_of invoice)" 0
nothing_stands
nothing_beside
nothing_staged
