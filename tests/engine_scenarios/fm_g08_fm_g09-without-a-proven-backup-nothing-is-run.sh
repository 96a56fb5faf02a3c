# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
# engines: postgres mariadb; SQLite has no accounts; fm_g08_fm_g14_without_a_good_backup_or_a_command_nothing_is_run is about it
. "$WORDS"
make_ledger
make_reader "reader_$DB"
make_program never 'touch was_run'
# No backup can be made.
config '[env.dev]' "database = \"$(url "$DB" "reader_$DB")\""
expect 125 safe-migrate -e dev -- ./never
holds err "$UNREADABLE"
expect 125 safe-db-test -e dev -- ./never
# One is made, and does not restore.
config '[env.dev]' "database = \"$URL\"" 'assert = ["SELECT 1 WHERE false"]'
expect 125 safe-migrate -e dev -- ./never
expect 125 safe-migrate -e dev --rehearse -- ./never
expect 125 safe-db-test -e dev -- ./never
[ ! -e was_run ] || wrong "the command was run"
nothing_stands
expect 0 safe-migrate -e dev --no-prove -- ./never
[ -e was_run ] || wrong "the command was not run"
config '[env.dev]' "database = \"$URL\"" 'protected = true'
rm was_run
expect 125 safe-migrate -e dev --no-prove -- ./never
[ ! -e was_run ] || wrong "the command was run"
nothing_staged
