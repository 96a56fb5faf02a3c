# The words of PostgreSQL, on a private server of this project's own.
# shellcheck shell=sh disable=SC2034 # a tool's script uses what stands here
# shellcheck source=tests/engine_scenarios/words/postgres.sh
. "$ROOT/tests/engine_scenarios/words/postgres.sh"
# shellcheck source=scripts/migration-tools/words.sh
. "$ROOT/scripts/migration-tools/words.sh"
own_server
make_database "$DB"
SOURCE=$URL
DATABASE_URL="postgres://postgres@$(echo "$SERVER_SOCKET" | sed 's,/,%2F,g'):5432/$DB"
export DATABASE_URL
ask() { sql "$1"; }
SERIES='generate_series(1, 1000) AS n(i)'
real_place() { echo "$SERVER_SOCKET"; }
DBMATE_URL="postgres://postgres@/$DB?host=$SERVER_SOCKET&sslmode=disable"
DBMATE_FAILS=2
