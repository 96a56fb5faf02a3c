# shellcheck shell=sh source=tests/postgres_scenarios/lib.sh
. "$WORDS"
make_ledger 60000
config '[env.dev]' "database = \"$URL\""
expect 0 backup-db
set_mark live
for signal in TERM INT; do
    env --default-signal restore-db latest --no-safety-backup >out 2>err </dev/null &
    run=$!
    until_true 20 is_loading
    kill -"$signal" "$run"
    status=0
    wait "$run" || status=$?
    case $signal in TERM) wanted=143 ;; INT) wanted=130 ;; esac
    is "$status" "$wanted" "$signal"
    is "$(mark)" live
    nothing_beside
    until_true 2 none_runs
done
is "$(kept_aside)" ""
expect 0 restore-db latest
is "$(mark)" first
