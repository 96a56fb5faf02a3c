# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
# engines: postgres mariadb; SQLite has no rights of its own
. "$WORDS"
make_ledger
make_plain_user "app_$DB"
give_database_to "app_$DB"
config '[env.dev]' "database = \"$(url "$DB" "app_$DB")\""
make_program command 'touch was_run'
# refused FLAG…: told at once, and not when it is too late.
refused() {
    for wrapper in "safe-migrate -e dev" "safe-migrate -e dev --rehearse" "safe-db-test -e dev --on-leak restore"; do
        # shellcheck disable=SC2086 # a list of words
        expect 125 $wrapper -- ./command
        holds err "$1"
        [ ! -e was_run ] || wrong "$wrapper: the command was run"
    done
    is "$(migration_backups)$(backups)" 00
}
refused "$(may_restore "app_$DB")"
expect 0 safe-migrate -e dev -n -- ./command
holds out 'could not be rolled back'
sql_server "$(may_restore "app_$DB")"
if swap_can_be_held_up; then
    sit_in "$DB"
    refused "may not end: $ADMIN"
    : >stop
    until_true 10 nobody_is_in "$DB"
    hold_swap_up
    refused "$SWAP_HINT"
    let_swap_go
fi
expect 0 safe-migrate -e dev -- ./command
rm was_run
may_no_longer_restore "app_$DB"
expect 0 safe-migrate -e dev --on-failure keep -- ./command
expect 0 safe-db-test -e dev -- ./command
