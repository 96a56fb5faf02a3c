# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
# engines: postgres mariadb; SQLite has no roles
. "$WORDS"
make_ledger
make_plain_user "tester_$DB"
config "scratch_server = \"$(server_url "tester_$DB")\"" '[env.dev]' "database = \"$URL\""
make_program tests 'touch was_run'
expect 125 safe-db-test -e dev -- ./tests
holds err "$(may_create_databases "tester_$DB")"
sql_server "$(may_create_databases "tester_$DB")"
if tables_have_owners; then
    # It may make a database, and still not load one whose tables belong to somebody else.
    expect 125 safe-db-test -e dev -- ./tests
    holds err "TO \"tester_$DB\""
fi
[ ! -e was_run ] || wrong "the tests were run"
is "$(backups)" 0
give_tables_to "tester_$DB"
expect 0 safe-db-test -e dev -- ./tests
[ -e was_run ] || wrong "the tests were not run"
is "$(scratches)" ""
nothing_staged
