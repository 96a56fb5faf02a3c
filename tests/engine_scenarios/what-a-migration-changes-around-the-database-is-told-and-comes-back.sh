# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
# engines: postgres mariadb; around a file of SQLite there is nothing
. "$WORDS"
make_ledger
make_role "owner_$DB"
config '[env.dev]' "database = \"$URL\""
make_program around "$(change_around "owner_$DB"); exit \${1:-0}"
before=$(around)
expect 6 safe-migrate -e dev --report report.json -- ./around 6
is "$(told .state.state)" rolled_back
is "$(told '.changes.schema | map(.object) | join(", ")')" "$AROUND_TOLD"
is "$(around)" "$before"
# Tests that do so have reached the real database.
expect 122 safe-db-test -e dev --on-leak restore -- ./around
holds err "${AROUND_TOLD%%,*}"
is "$(around)" "$before"
expect 0 safe-migrate -e dev -- ./around
[ "$(around)" != "$before" ] || wrong "a good migration was undone"
nothing_stands
nothing_beside
