# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
# engines: postgres; only PostgreSQL leaves an index that is none
. "$WORDS"
make_ledger
config '[env.dev]' "database = \"$URL\""
make_migration unfinished <<SQL
$(unfinished_index entry account)
SQL
# One that is there already is in no backup, which is told in the manifest, and stands in the way of nothing.
if client_env ./unfinished 2>err; then wrong "the index was made"; fi
expect 0 backup-db -e dev --verify restore
holds "$(newest)/manifest.json" 'index public.unfinished'
expect 0 client_env safe-migrate -v -e dev -- true
holds err 'exactly as it was'
sql 'DROP INDEX unfinished'

# One that a migration leaves makes its next attempt fail, although no row and no definition shows it.
expect "$FAILED_STATEMENT" client_env safe-migrate -e dev --report report.json -- ./unfinished
is "$(told .state.state)" rolled_back
is "$(told '.changes.schema | map(.object) | join(", ")')" "the database's invalid indexes"
is "$(sql "SELECT count(*) FROM pg_index WHERE NOT indisvalid")" 0
is "$(rows_of entry)" 1000
nothing_stands
nothing_beside
