# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
# engines: postgres mariadb; no dump program writes a backup of SQLite
. "$WORDS"
make_ledger 200000
backup-db "$URL" >out 2>err </dev/null &
run=$!
until_true 20 runs "$DUMP_PROGRAM"
# Stopped, it reads no more: the dump program cannot come to its end by itself.
kill -STOP "$run"
sleep 0.3
runs "$DUMP_PROGRAM" || wrong "the dump ended too early to be of use here"
kill -KILL "$run"
wait "$run" || :
until_true 2 none_runs
is "$(backups)" 0
expect 0 backup-db "$URL"
nothing_staged
is "$(backups)" 1
