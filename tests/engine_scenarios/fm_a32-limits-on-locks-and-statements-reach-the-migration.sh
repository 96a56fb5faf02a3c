# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
# engines: postgres; no variable reaches the libraries of MariaDB
. "$WORDS"
make_ledger
config '[env.dev]' "database = \"$URL\"" 'lock_timeout = "1s"'
make_migration blocked <<'SQL'
ALTER TABLE account ADD COLUMN rating integer;
SQL
make_program waiting "touch begun; until [ -e sat ]; do sleep 0.02; done; exec ./blocked"
client_env safe-migrate -e dev -- ./waiting >out 2>err </dev/null &
run=$!
until_true 60 test -e begun
sit_in_transaction
: >sat
status=0
wait "$run" || status=$?
: >stop
is "$status" "$FAILED_STATEMENT"
holds err "$LOCK_TIMED_OUT"
holds err 'exactly as it was'

make_migration slow <<SQL
$(sleep_for 3)
SQL
expect "$FAILED_STATEMENT" client_env safe-migrate -e dev --statement-timeout 1s -- ./slow
holds err "$STATEMENT_TIMED_OUT"
# Without a limit it may take its time.
expect 0 client_env safe-migrate -e dev -- ./slow
