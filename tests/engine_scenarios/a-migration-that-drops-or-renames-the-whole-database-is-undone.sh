# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
. "$WORDS"
make_ledger
config '[env.dev]' "database = \"$URL\""
before=$(picture)
make_program dropping "drop_database \"$DB\""
expect 123 client_env safe-migrate -e dev --report report.json -- ./dropping
holds err 'the database is gone'
is "$(told .state.state)" rolled_back
[ "$(picture)" = "$before" ] || wrong "it did not come back as it was"
is "$(kept_aside)" ""

make_program renaming "rename_database \"$DB\" \"${DB}_elsewhere\""
expect 123 client_env safe-migrate -e dev -- ./renaming
[ "$(picture)" = "$before" ] || wrong "it did not come back as it was"
# What it was renamed to is not ours to remove.
is "$(rows_in "${DB}_elsewhere" entry)" 1000
nothing_stands
nothing_beside
nothing_staged
