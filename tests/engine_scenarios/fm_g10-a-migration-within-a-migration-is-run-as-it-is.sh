# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
. "$WORDS"
make_ledger
config '[env.dev]' "database = \"$URL\""
make_migration good <<'SQL'
CREATE TABLE invoice (id integer);
SQL
make_program around 'safe-migrate -v -e dev -- ./good'
expect 0 client_env safe-migrate -e dev -- ./around
holds err 'inside safe-migrate'
is "$(migration_backups)" 1
is "$(rows_of invoice)" 0
nothing_stands
