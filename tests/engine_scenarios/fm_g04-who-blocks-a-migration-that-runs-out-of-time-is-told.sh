# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
# engines: postgres mariadb; SQLite does not know who holds a lock
. "$WORDS"
make_ledger
config '[env.dev]' "database = \"$URL\""
make_migration blocked <<'SQL'
INSERT INTO mark VALUES ('half');
ALTER TABLE account ADD COLUMN rating integer;
SQL
# Somebody else's transaction, begun while the migration is under way, which it has to wait for.
make_program waiting "touch begun; until [ -e sat ]; do sleep 0.02; done; exec ./blocked"
client_env safe-migrate -e dev --timeout 2s --report report.json -- ./waiting >out 2>err </dev/null &
run=$!
until_true 60 test -e begun
sit_in_transaction
: >sat
status=0
wait "$run" || status=$?
: >stop
is "$status" 124
is "$(told '.outcome + " " + .state.state')" 'timed_out rolled_back'
told '.notes[]' >notes
cat notes >>err
holds notes "$WAITS_FOR_LOCK"
holds notes 'ALTER TABLE account ADD COLUMN rating integer'
holds notes "$BLOCKS"
is "$(rows_of mark)" 1
nothing_stands
nothing_beside
