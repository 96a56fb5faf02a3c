# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
# engines: postgres mariadb; a transaction of SQLite holds everybody else off, and nobody can end it
. "$WORDS"
make_ledger
config '[env.dev]' "database = \"$URL\""
before=$(picture)
make_migration failing <<'SQL'
DELETE FROM mark;
INSERT INTO account VALUES (2, 'again', 0);
SQL
for number in 1 2; do come_and_go "$number" & done
sit_in_transaction
expect "$FAILED_STATEMENT" client_env safe-migrate -e dev -- ./failing
: >stop
[ "$(picture)" = "$before" ] || wrong "the content is not what it was before"
nothing_stands
nothing_beside
