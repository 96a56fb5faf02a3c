# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
. "$WORDS"
make_ledger 100000
config '[env.dev]' "database = \"$URL\""
before=$(picture | cksum)
make_migration lossy <<'SQL'
ALTER TABLE account ADD COLUMN rating integer;
DELETE FROM entry WHERE id = 77777;
SQL
expect 123 client_env safe-migrate -e dev --report report.json -- ./lossy
holds err "table ${SCHEMA}entry has lost 1 rows"
is "$(told '.outcome + " " + .state.state')" 'rejected rolled_back'
is "$(picture | cksum)" "$before"
is "$(rows_of entry)" 100000
is "$(failed_rows "$(kept_aside)" entry)" 99999

# What is allowed is not undone.
expect 0 client_env safe-migrate -e dev --allow-loss entry=1 -- ./lossy
is "$(rows_of entry)" 99999
nothing_stands
nothing_beside
