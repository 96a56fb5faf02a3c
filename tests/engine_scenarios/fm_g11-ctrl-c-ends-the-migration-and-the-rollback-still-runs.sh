# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
. "$WORDS"
make_ledger
config '[env.dev]' "database = \"$URL\""
before=$(picture)
make_migration half <<'SQL'
DELETE FROM entry WHERE id > 10;
SQL
make_migration slow <<SQL
$(sleep_for 60)
SQL
make_program long './half; touch halfway; exec ./slow'
# As at a terminal, all of a group of their own get it at once.
# shellcheck disable=SC2086 # a list of words
setsid env --default-signal $CLIENT_SETTINGS safe-migrate -v -e dev --report report.json -- ./long >out 2>err </dev/null &
run=$!
until_true 60 test -e halfway
sleep 0.2
kill -INT "-$run"
status=0
wait "$run" || status=$?
[ "$status" != 0 ] || wrong "it counts as done"
is "$(told '.state.state')" rolled_back
[ "$(picture)" = "$before" ] || wrong "the content is not what it was before"
until_true 3 none_runs
nothing_stands
nothing_beside
nothing_staged
