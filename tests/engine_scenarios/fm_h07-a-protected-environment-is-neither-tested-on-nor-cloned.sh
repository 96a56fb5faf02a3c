# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
. "$WORDS"
make_ledger
config '[env.prod]' "database = \"$URL\"" 'protected = true'
make_program tests 'touch was_run'
expect 125 safe-db-test -e prod -- ./tests
holds err protected
expect 125 safe-db-test -e prod --in-place -- ./tests
[ ! -e was_run ] || wrong "the tests were run"
is "$(backups prod)" 0
