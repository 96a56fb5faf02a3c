#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

ledger app.db 5
expect 0 backup-db -e prod --store "$PWD/store" app.db
id=$(made)
expect 0 backup-guard --store "$PWD/store" --max-age 26h
# From another machine, that has no configuration and remembers nothing: somebody has emptied the store.
mv "store/prod/$id" gone
rmdir store/prod
export HOLDFAST_STATE_DIR="$PWD/other"
expect 3 backup-guard --store "$PWD/store" --max-age 26h
prints prod
prints 'there is no verified backup'
# The trail is gone, too; the checks tell of it.
mv store/audit audit
expect 3 backup-guard --store "$PWD/store"
prints prod
# And a store of which nothing tells anything.
rm -rf store/checks
expect 3 backup-guard --store "$PWD/store" --max-age 26h
prints 'there is no backup in the store'
