# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh disable=SC2016 # a program is written
# engines: postgres mariadb; a clone of SQLite needs no server
. "$WORDS"
make_ledger
config "scratch_server = \"$(server_url)\"" '[env.dev]' "database = \"$URL\""
# Somebody who is not of the run stays connected to its clone.
make_program tests 'sql_by_variables "SELECT $DATABASE_NAME" >clone_name; until [ -e sits ]; do sleep 0.02; done'
safe-db-test -e dev -- ./tests >out 2>err </dev/null &
run=$!
until_true 60 test -s clone_name
sit_in "$(cat clone_name)"
: >sits
status=0
wait "$run" || status=$?
: >stop
is "$status" 0
is "$(scratches)" ""
nothing_staged
