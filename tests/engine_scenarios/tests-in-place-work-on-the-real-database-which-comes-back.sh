# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
. "$WORDS"
make_ledger
config '[env.dev]' "database = \"$URL\""
before=$(picture)
make_program tests 'sql_by_variables "DELETE FROM entry WHERE id > 10; DROP TABLE mark"; exit 3'
expect 3 as_approved client_env safe-db-test -e dev --in-place --report report.json -- ./tests
is "$(told .state)" brought_back
[ "$(picture)" = "$before" ] || wrong "it did not come back as it was"
is "$(failed_rows "$(kept_aside)" entry)" 10
# Nothing done, nothing to bring back; and whatever they do to it, it comes back.
make_program reading 'sql_by_variables "SELECT count(*) FROM entry"'
approved client_env safe-db-test -v -e dev --in-place -- ./reading
holds err 'exactly as it was'
make_program dropping 'drop_all_by_variables'
approved client_env safe-db-test -e dev --in-place -- ./dropping
[ "$(picture)" = "$before" ] || wrong "it did not come back as it was"
expect 125 client_env safe-db-test -e dev --in-place -- ./reading '{url}'
nothing_stands
nothing_beside
nothing_staged
