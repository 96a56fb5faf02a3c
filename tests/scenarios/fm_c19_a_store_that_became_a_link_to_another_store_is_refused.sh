#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

ledger app.db 5
expect 0 backup-db app.db --store one
expect 0 backup-db app.db --store two
ln -s one link
expect 0 backup-db app.db --store link
is "$(count dev one)" 2 "backups of one, reached by a link"
mv one away
before=$(snapshot two)
ln -s two one
run backup-db app.db --store one
is "$(snapshot two)" "$before" "the other store"
is "$STATUS" 4 "status"
says 'another store'
# Staging, environment and trash folders are never reached through a link either.
rm one
mv away one
mkdir outside
mv one/dev kept
ln -s "$PWD/outside" one/dev
run backup-db app.db --store one
is "$(find outside -mindepth 1)" "" "what came through the link"
is "$STATUS" 4 "status where the environment's folder is a link"
is "$(find outside one -name '.staging*')" "" "what is left behind"
