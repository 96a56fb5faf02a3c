# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
. "$WORDS"
make_ledger
config '[env.dev]' "database = \"$URL\""
before=$(picture)
make_program tests 'sql "DELETE FROM entry WHERE id > 10; CREATE TABLE invoice (id integer); UPDATE account SET cents = 0"; sql_by_variables "DELETE FROM mark"'
expect 122 safe-db-test -e dev --report report.json -- ./tests
holds err "table ${SCHEMA}entry has 10 rows, 990 fewer"
holds err "table ${SCHEMA}invoice is new"
holds err "table ${SCHEMA}account has as many rows (100), but not the same"
lacks err "table ${SCHEMA}mark"
is "$(told .state)" leaked
is "$(rows_of entry)" 10
expect 0 restore-db -e dev "$(told .backup)"
[ "$(picture)" = "$before" ] || wrong "the safety backup does not hold what was there"

expect 122 safe-db-test -e dev --on-leak restore --report report.json -- ./tests
holds err "table ${SCHEMA}entry has 10 rows, 990 fewer"
is "$(told .state)" brought_back
[ "$(picture)" = "$before" ] || wrong "it did not come back as it was"
holds err "$(told .kept_aside)"
is "$(failed_rows "$(told .kept_aside)" entry)" 10
nothing_beside
nothing_staged
