# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
# engines: postgres mariadb; no dump program writes a backup of SQLite; fm_b02_fm_b03_a_signal_stops_a_backup_cleanly… is the same for it
. "$WORDS"
make_ledger 20000
config "$FAKES_LINE" '[env.dev]' "database = \"$URL\""
for signal in TERM INT HUP; do
    fake_dump_that_pauses
    # A background job of a script without job control ignores SIGINT from its start; that must not be inherited.
    env --default-signal backup-db >out 2>err </dev/null &
    run=$!
    until_true 20 test -e halfway
    kill -"$signal" "$run"
    status=0
    wait "$run" || status=$?
    case $signal in TERM) wanted=143 ;; INT) wanted=130 ;; HUP) wanted=129 ;; esac
    is "$status" "$wanted" "$signal"
    [ ! -s out ] || wrong "stdout says something"
    is "$(backups)" 0
    nothing_staged
    until_true 2 none_runs
done
unfake "$DUMP_PROGRAM"
expect 0 backup-db
