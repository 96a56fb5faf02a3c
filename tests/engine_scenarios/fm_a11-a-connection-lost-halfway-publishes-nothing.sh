# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
# engines: postgres mariadb; there is no connection to a file
. "$WORDS"
make_ledger 100000
fake_dump_that_pauses
config "$FAKES_LINE" '[env.dev]' "database = \"$URL\""
backup-db >out 2>err </dev/null &
run=$!
until_true 20 test -e halfway
[ -n "$(end_dump_sessions)" ] || wrong "there was no session to end"
: >go
status=0
wait "$run" || status=$?
is "$status" 1
holds err "$DUMP_PROGRAM"
is "$(backups)" 0
nothing_staged
none_runs || wrong "still running: $(running)"
unfake "$DUMP_PROGRAM"
expect 0 backup-db
