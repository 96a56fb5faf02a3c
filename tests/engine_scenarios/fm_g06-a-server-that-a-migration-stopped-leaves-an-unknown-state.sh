# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
# engines: postgres mariadb; there is no server to stop
. "$WORDS"
own_server
make_ledger
config '[env.dev]' "database = \"$URL\""
before=$(picture)
make_migration half <<'SQL'
DELETE FROM entry WHERE id > 10;
SQL
make_program stopping "./half && stop_own_server; exit 1"
client_env HOLDFAST_TEST_REACH_WAIT=2 safe-migrate -e dev --report report.json -- ./stopping >out 2>err </dev/null || status=$?
is "$status" 121
holds err 'does not answer'
holds err --resume
is "$(told .state.state)" unknown
[ "$(find "$HOLDFAST_STATE_DIR/journal" -type f | wc -l)" = 1 ] || wrong "the journal does not hold the run"
start_own_server
is "$(rows_of entry)" 10 "nothing was restored over it"
expect 125 client_env safe-migrate -e dev -- ./half
holds err 'an interrupted safe-migrate stands'
holds err '990 rows lost'
expect 0 as_approved safe-migrate -e dev --resume
[ "$(picture)" = "$before" ] || wrong "it did not come back as it was"
is "$(failed_rows "$(kept_aside)" entry)" 10
nothing_stands
nothing_beside
