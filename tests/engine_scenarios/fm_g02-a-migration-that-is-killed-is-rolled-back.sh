# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
. "$WORDS"
make_ledger
config '[env.dev]' "database = \"$URL\""
before=$(picture)
make_migration half <<'SQL'
DELETE FROM entry WHERE id > 10;
SQL
printf '#!/bin/sh\n./half\nkill -KILL $$\n' >killed
chmod 755 killed
expect 137 client_env safe-migrate -e dev --report report.json -- ./killed
is "$(told '.outcome + " " + .state.state')" 'failed rolled_back'
[ "$(picture)" = "$before" ] || wrong "the content is not what it was before"
nothing_stands
nothing_beside
