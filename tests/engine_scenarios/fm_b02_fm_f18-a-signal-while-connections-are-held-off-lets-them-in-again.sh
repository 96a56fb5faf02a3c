# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
# engines: postgres; MariaDB's swap holds no connections off
. "$WORDS"
make_ledger 60000
config '[env.dev]' "database = \"$URL\""
expect 0 backup-db
set_mark live
for what in 'latest --no-safety-backup' --undo; do
    # shellcheck disable=SC2086 # the words of the command
    env --default-signal restore-db $what >out 2>err </dev/null &
    run=$!
    [ "$what" = --undo ] || until_true 20 is_loading
    hold_swap_up
    until_true 20 is_closed
    kill -TERM "$run"
    status=0
    wait "$run" || status=$?
    is "$status" 143
    if is_closed; then wrong "the database is still closed"; fi
    is "$(mark)" live "$what"
    let_swap_go
    nothing_beside
    until_true 2 none_runs
    expect 0 restore-db latest --no-safety-backup
    is "$(mark)" first
    [ "$what" = --undo ] || set_mark live
done
