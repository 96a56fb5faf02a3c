# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh disable=SC2016 # a program is written
# engines: postgres mariadb; a clone of SQLite needs no server; fm_h05_fm_h06_a_killed_runs_clone_is_swept… is about files
. "$WORDS"
make_ledger
config "scratch_server = \"$(server_url)\"" '[env.dev]' "database = \"$URL\""
make_program tests 'sql_by_variables "SELECT $DATABASE_NAME" >clone_name; exec sleep 60'
safe-db-test -e dev -- ./tests >out 2>err </dev/null &
run=$!
until_true 60 test -s clone_name
killed=$(cat clone_name)
# Of two that live beside each other, neither sweeps the other's.
make_program short 'sleep 0.2'
expect 0 safe-db-test -e dev -- ./short
has_database "$killed" || wrong "the clone of a run that lives was swept"
kill -KILL "$run"
wait "$run" || :
# One has the name and no mark, one the mark and another name.
make_database "$ONLY_NAMED"
make_database "${DB}_mine"
mark_as_scratch "${DB}_mine"
expect 0 safe-db-test -e dev -- ./short
if has_database "$killed"; then wrong "the clone of a killed run is still there"; fi
has_database "$ONLY_NAMED" || wrong "a database that only has the name was dropped"
has_database "${DB}_mine" || wrong "a database that only has the mark was dropped"
drop_database "$ONLY_NAMED"
