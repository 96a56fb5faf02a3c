#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

ledger app.db 5
expect 0 backup-db app.db
echo precious >victim
# The names of what runs write beside a database can be guessed to the second; links in their place are refused or passed by.
good=$(made)
ln -s "$PWD/victim" "app.db.restore-20201121T120000Z-0000"
ln -s "$PWD/victim" app.db-journal
ln -s "$PWD/victim" "backups/.staging-20201121T120000Z-dev-db-0000.nosync"
ln -s "$PWD/victim" "backups/.trash-20201101T120000Z-dev-db-0000.nosync"
run backup-db app.db
run restore-db "$good" --to sqlite:app.db
is "$(cat victim)" precious "the file that the links point to"
rm -f app.db-journal
# The log is not written through a link.
rm -rf "$HOLDFAST_STATE_DIR/logs"
mkdir "$HOLDFAST_STATE_DIR/logs"
ln -s "$PWD/victim" "$HOLDFAST_STATE_DIR/logs/holdfast-2020-11-21.log"
run at 2020-11-21T12:00:00Z backup-db app.db
is "$(cat victim)" precious "the file that the log's link points to"
has_rows app.db 5
