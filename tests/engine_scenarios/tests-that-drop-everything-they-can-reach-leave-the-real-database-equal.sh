# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
. "$WORDS"
make_ledger
add_oddities
config '[env.dev]' "database = \"$URL\""
before=$(picture)
make_program tests 'sql_by_url "DELETE FROM entry"; drop_all_by_variables; exit 9'
expect 9 client_env safe-db-test -v -e dev --report report.json -- ./tests
holds err 'exactly as it was'
is "$(told '.state + " " + (.command_status | tostring)')" 'untouched 9'
[ "$(picture)" = "$before" ] || wrong "the real database has changed"
is "$(backups)" 1 "the safety backup"
# The rows were there to be dropped, and what the tests print is theirs alone.
make_program counting 'sql_by_variables "SELECT count(*) FROM entry"'
expect 0 client_env safe-db-test -e dev -- ./counting
is "$(cat out)" 1000
nothing_beside
nothing_staged
