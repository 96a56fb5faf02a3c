#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

ledger app.db 5
expect 0 backup-db app.db
chmod 777 backups
expect 3 backup-guard
prints 'can be written by others'
chmod 755 backups
expect 0 backup-guard
prints 'can be read by others'
