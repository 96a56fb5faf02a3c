# shellcheck shell=sh source=tests/engine_scenarios/words/mariadb.sh
# engines: mariadb; pg_dump leaves nothing of this out by default
. "$WORDS"
make_ledger
add_oddities
odd=$(oddities)
before=$(picture)
expect 0 backup-db "$URL" --verify restore
is "$(jq -c .fingerprint.objects "$(newest)/manifest.json")" '{"events":1,"routines":2,"sequences":1,"triggers":1,"views":2}'
holds "$(newest)/RESTORE.txt" "so load the file into $DB."
sql 'DROP EVENT nightly; DROP TRIGGER stamp; DROP FUNCTION twice; DROP PROCEDURE tidy; DROP VIEW rich; DROP VIEW totals; DROP SEQUENCE counter; DROP TABLE bytes'
expect 0 restore-db latest
[ "$(picture)" = "$before" ] || wrong "it is not what was backed up"
is "$(oddities)" "$odd"
# The trigger works, and the event is awake.
sql "INSERT INTO mark VALUES ('shout')"
is "$(sql "SELECT count(*) FROM mark WHERE BINARY word = 'SHOUT'")" 1
is "$(sql_server "SELECT status FROM information_schema.events WHERE event_schema = '$DB'")" ENABLED
