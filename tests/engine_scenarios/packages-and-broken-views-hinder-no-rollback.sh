# shellcheck shell=sh source=tests/engine_scenarios/words/mariadb.sh
# engines: mariadb; PostgreSQL has no packages, and lets nobody drop what a view needs
. "$WORDS"
make_ledger 10
cat >packages.sql <<'SQL'
SET sql_mode = 'ORACLE';
DELIMITER //
CREATE PACKAGE tools AS FUNCTION twice(n INT) RETURN INT; END; //
CREATE PACKAGE BODY tools AS FUNCTION twice(n INT) RETURN INT AS BEGIN RETURN 2 * n; END; END; //
DELIMITER ;
SQL
load "$DB" packages.sql
sql "CREATE VIEW totals AS SELECT account, sum(cents) AS cents FROM entry GROUP BY account; CREATE VIEW words AS SELECT * FROM mark;
    CREATE TRIGGER stamp BEFORE INSERT ON account FOR EACH ROW SET new.name = upper(new.name)"
config '[env.dev]' "database = \"$URL\""
before=$(picture)
is "$(sql "SET sql_mode = 'ORACLE'; SELECT tools.twice(21)")" 42
expect 0 backup-db
sql "DROP VIEW totals; SET sql_mode = 'ORACLE'; DROP PACKAGE tools"
expect 0 restore-db latest
[ "$(picture)" = "$before" ] || wrong "it is not what was backed up"
is "$(sql "SET sql_mode = 'ORACLE'; SELECT tools.twice(21)")" 42
expect 0 restore-db --undo
is "$(sql "SELECT count(*) FROM information_schema.routines WHERE routine_schema = '$DB'")" 0
expect 0 restore-db --undo
[ "$(picture)" = "$before" ] || wrong "the undo was not undone"

# A migration that takes a view its table away is rolled back like any other.
make_migration failing <<'SQL'
DROP TABLE mark;
INSERT INTO account VALUES (1, 'again', 0, 0);
SQL
expect "$FAILED_STATEMENT" client_env safe-migrate -e dev -- ./failing
holds err 'rolled back'
[ "$(picture)" = "$before" ] || wrong "the content is not what it was before"
nothing_beside
