# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
# engines: postgres mariadb; a transaction of SQLite holds everybody else off, and nobody can end it
. "$WORDS"
make_ledger
config '[env.dev]' "database = \"$URL\""
expect 0 backup-db
set_mark live
# Somebody sits in a transaction in the database, somebody else in one of another.
sit_in_transaction
make_ledger 10 "${DB}_other"
mkfifo spoken
sql_session "${DB}_other" <spoken >/dev/null 2>&1 &
talking=$!
exec 3>spoken
echo "BEGIN; UPDATE mark SET word = 'kept';" >&3
sleep 0.3
expect 0 restore-db latest --no-safety-backup
is "$(mark)" first
expect 0 restore-db --undo
is "$(mark)" live
echo 'COMMIT;' >&3
exec 3>&-
wait "$talking" || wrong "the other one's transaction was ended"
is "$(sql_in "${DB}_other" 'SELECT word FROM mark')" kept
: >stop
