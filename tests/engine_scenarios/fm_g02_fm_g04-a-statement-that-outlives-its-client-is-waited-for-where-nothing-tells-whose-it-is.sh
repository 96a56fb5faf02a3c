# shellcheck shell=sh source=tests/engine_scenarios/words/mariadb.sh
# engines: mariadb; PostgreSQL knows which command a session is of, and its statement is ended
. "$WORDS"
make_ledger
config '[env.dev]' "database = \"$URL\""
sql_session "$DB" <<'SQL'
DELIMITER //
CREATE PROCEDURE thin_out() BEGIN DECLARE x int; SELECT sleep(3) INTO x; DELETE FROM entry WHERE id > 10; END//
SQL
before=$(picture)
make_migration slow <<SQL
$(slowly_delete 3 entry)
SQL
# A server that sleeps looks whether its client is still there; one that is busy does not.
make_migration slower <<SQL
DELETE e FROM entry e JOIN (SELECT benchmark(1000000000000, md5('x'))) pause WHERE e.id > 10;
SQL
# The client is killed, as by the kernel when memory is short; the server goes on with what it was told, and what comes of it is judged.
make_program killed './slow & until_true 60 is_at_work; kill -KILL $!; exit 5'
expect 5 client_env safe-migrate -e dev --report report.json -- ./killed
is "$(told '.outcome + " " + .state.state')" 'failed rolled_back'
[ "$(picture)" = "$before" ] || wrong "what came of the statement was not taken back"
# Of a routine the server shows the statement that it is at, which may only read.
make_migration calling <<'SQL'
CALL thin_out();
SQL
# shellcheck disable=SC2016 # it is a program's
make_program killed 'reads() { [ "$(sql_server "SELECT count(*) > 0 FROM information_schema.processlist WHERE info LIKE \"SELECT sleep(3)%\"")" = 1 ]; }
./calling & until_true 60 reads; kill -KILL $!; exit 5'
expect 5 client_env safe-migrate -e dev --report report.json -- ./killed
is "$(told '.outcome + " " + .state.state')" 'failed rolled_back'
sleep 3
[ "$(picture)" = "$before" ] || wrong "the routine went on after the rollback"
make_program detached './slow >/dev/null 2>&1 & until_true 60 is_at_work; kill -KILL $!; exit 0'
expect 123 client_env safe-migrate -e dev -- ./detached
holds err "table ${SCHEMA}entry has lost 990 rows"
[ "$(picture)" = "$before" ] || wrong "the content is not what it was before"

# One that does not end might be the application's: it is not killed, and nothing is judged before it has gone.
make_program killed './slower & until_true 60 is_at_work; kill -KILL $!; exit 5'
expect 121 client_env safe-migrate -v -e dev --report report.json -- ./killed
is "$(told '.state.state')" unknown
holds err 'waiting 30 s at most'
holds err 'is at work'
session=$(sed -n 's/.*end them: KILL \([0-9]*\).*/\1/p' err | head -n 1)
expect 125 client_env safe-migrate -e dev -- ./killed
holds err 'the server is still at work there'
for what in --resume --abandon; do
    expect 0 safe-migrate -e dev $what -n
    holds out "connection $session"
done
sql_server "KILL $session"
expect 0 safe-migrate -e dev --resume
[ "$(picture)" = "$before" ] || wrong "the content is not what it was before"
nothing_stands
nothing_beside
