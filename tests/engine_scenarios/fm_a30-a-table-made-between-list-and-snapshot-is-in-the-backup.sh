# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
# engines: postgres mariadb; a backup of SQLite has no list of tables
. "$WORDS"
make_ledger
before_snapshot 'CREATE TABLE late AS SELECT 4711 AS number'
config "$FAKES_LINE" '[env.dev]' "database = \"$URL\""
expect 0 backup-db
[ ! -e once ] || wrong "the table was never made"
drop_table late
expect 0 restore-db latest
is "$(sql 'SELECT number FROM late')" 4711
