#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

ledger app.db 5
wrong_config() {
    text=$1
    shift
    config "$@"
    for tool in 'backup-db -e dev' 'backup-guard -e dev' 'restore-db -e dev latest'; do
        # shellcheck disable=SC2086 # words
        expect 6 $tool
        says "$text"
        prints_nothing
    done
    [ ! -e backups ] || wrong "a store was made"
}
wrong_config 'did you mean "keep_days"' '[env.dev]' 'database = "app.db"' '[env.dev.retention]' 'keep_day = 7'
says 'holdfast.toml:4:'
says 'holdfast.toml'
# shellcheck disable=SC2016 # Holdfast expands it, or rather does not
wrong_config 'HOLDFAST_TEST_UNSET' '[env.dev]' 'database = "${HOLDFAST_TEST_UNSET}/app.db"'
wrong_config 'keep_last' '[env.dev]' 'database = "app.db"' '[env.dev.retention]' 'keep_last = 0'
wrong_config 'holdfast.toml:2' '[env.dev]' 'database = app.db'
config '[env.dev]' 'database = "app.db"'
expect 6 backup-db -e dev -c missing.toml
says 'missing.toml'
expect 6 env HOLDFAST_CONFIG=missing.toml backup-db -e dev
expect 2 backup-db -e dve
says 'the environments there are dev'
