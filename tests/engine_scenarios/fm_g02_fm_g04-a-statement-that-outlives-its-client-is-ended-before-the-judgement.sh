# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
# engines: postgres; no connection of MariaDB's tells which command began it
. "$WORDS"
make_ledger
config '[env.dev]' "database = \"$URL\""
before=$(picture)
make_migration slow <<SQL
$(slowly_delete 3 entry)
SQL
# The client is killed, as by the kernel when memory is short; the server goes on with what it was told.
make_program killed './slow & until_true 60 is_at_work; kill -KILL $!; exit 5'
expect 5 client_env safe-migrate -e dev --report report.json -- ./killed
is "$(told '.outcome + " " + .state.state')" 'failed unchanged'
told '.notes[]' >notes
holds notes 'the server was still at work for the command, which was ended'
holds notes 'DELETE'
sleep 3
[ "$(picture)" = "$before" ] || wrong "the statement went on after the database was called unchanged"

# Tests leave the same behind, on the clone and, with an address of their own, on the real one.
make_program killed './slow & until_true 60 is_at_work sql_by_variables; kill -KILL $!; exit 5'
expect 5 client_env safe-db-test -e dev --report report.json -- ./killed
is "$(told .state)" untouched
make_program killed_there "$(pwd)/slow_there & until_true 60 is_at_work; kill -KILL \$!; exit 5"
make_migration slow_there real <slow.sql
expect 5 safe-db-test -e dev --report report.json -- ./killed_there
told '.notes[]' >notes
holds notes 'the server was still at work for the command, which was ended'
sleep 3
[ "$(picture)" = "$before" ] || wrong "the statement went on after the database was called untouched"

# One that succeeds is waited for, and what comes of it is judged.
make_program detached './slow >/dev/null 2>&1 & until_true 60 is_at_work; kill -KILL $!; exit 0'
expect 123 client_env safe-migrate -e dev -- ./detached
holds err "table ${SCHEMA}entry has lost 990 rows"
[ "$(picture)" = "$before" ] || wrong "the content is not what it was before"
nothing_stands
nothing_beside
