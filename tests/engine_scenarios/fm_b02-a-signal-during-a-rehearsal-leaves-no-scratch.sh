# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
# engines: postgres mariadb; a clone of SQLite needs no server
. "$WORDS"
make_ledger 100000
has_scratch() { [ -n "$(scratches)" ]; }
has_private_scratch() { [ -n "$(find "$TMPDIR" -maxdepth 2 -name data)" ]; }
expect 0 backup-db "$URL"

# On a private server.
env --default-signal backup-guard --verify restore >out 2>err </dev/null &
run=$!
until_true 20 has_private_scratch
kill -TERM "$run"
status=0
wait "$run" || status=$?
is "$status" 143
until_true 2 none_runs
nothing_staged

# On a server that the configuration names.
config "scratch_server = \"$(server_url)\"" '[env.dev]' "database = \"$URL\""
env --default-signal backup-guard --verify restore >out 2>err </dev/null &
run=$!
until_true 20 has_scratch
kill -TERM "$run"
status=0
wait "$run" || status=$?
is "$status" 143
until_true 2 none_runs
is "$(scratches)" ""
expect 0 backup-guard --verify restore
is "$(scratches)" ""
