# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
. "$WORDS"
make_ledger
config '[env.dev]' "database = \"$URL\""
before=$(picture)
make_migration half <<'SQL'
DELETE FROM entry WHERE id > 10;
SQL
make_migration slow <<SQL
$(sleep_for 1)
DELETE FROM mark;
SQL
# One that goes on in the background for a moment: its work is part of the result.
printf '#!/bin/sh\n./slow >/dev/null 2>&1 </dev/null &\n' >background
chmod 755 background
expect 123 client_env safe-migrate -v -e dev -- ./background
holds err 'waiting 30 s'
holds err "table ${SCHEMA}mark has lost 1 rows"
[ "$(picture)" = "$before" ] || wrong "the content is not what it was before"

# One that does not end: nothing is judged while it may still write. A signal ends the wait for it.
printf '#!/bin/sh\n./half\nsetsid sleep 1000 >/dev/null 2>&1 </dev/null &\necho $! >sleeper\n' >daemon
chmod 755 daemon
rm err
# shellcheck disable=SC2086 # a list of words
env --default-signal $CLIENT_SETTINGS safe-migrate -v -e dev --report report.json -- ./daemon >out 2>err </dev/null &
run=$!
until_true 30 grep -q 'waiting 30 s' err
# Until it has become `sleep` it is called by the name of the program that began it.
until_true 30 grep -qx sleep "/proc/$(cat sleeper)/comm"
kill -TERM "$run"
status=0
wait "$run" || status=$?
is "$status" 123
holds err 'still run'
is "$(told '.outcome + " " + .left_behind[0].command')" 'left_running sleep 1000'
is "$(rows_of entry)" 10
expect 125 client_env safe-migrate -e dev -- ./half
holds err 'is still running'
kill "$(cat sleeper)"
# It had succeeded, so it is judged now.
expect 123 safe-migrate -e dev --resume
holds err "table ${SCHEMA}entry has lost 990 rows"
