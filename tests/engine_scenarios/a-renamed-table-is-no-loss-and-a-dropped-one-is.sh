# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
. "$WORDS"
make_ledger
config '[env.dev]' "database = \"$URL\""
make_migration rename <<'SQL'
ALTER TABLE entry RENAME TO booking;
SQL
expect 0 client_env safe-migrate -v -e dev -- ./rename
holds err "table ${SCHEMA}entry is ${SCHEMA}booking now"
is "$(rows_of booking)" 1000
make_migration drop <<'SQL'
DROP TABLE booking;
SQL
expect 123 client_env safe-migrate -e dev -- ./drop
holds err "table ${SCHEMA}booking is gone, with its 1000 rows"
is "$(rows_of booking)" 1000
nothing_stands
nothing_beside
