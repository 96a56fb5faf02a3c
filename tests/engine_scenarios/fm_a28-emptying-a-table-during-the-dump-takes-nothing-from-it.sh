# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
# engines: postgres mariadb; no dump program writes a backup of SQLite
. "$WORDS"
make_ledger 5000
fake_dump_that_pauses
config "$FAKES_LINE" '[env.dev]' "database = \"$URL\""
backup-db >out 2>err </dev/null &
run=$!
until_true 20 test -e halfway
empty_table entry &
emptying=$!
until_true 10 waits_for_lock
: >go
status=0
wait "$run" || status=$?
is "$status" 0
wait "$emptying"
is "$(rows_of entry)" 0
expect 0 restore-db latest
is "$(rows_of entry)" 5000
