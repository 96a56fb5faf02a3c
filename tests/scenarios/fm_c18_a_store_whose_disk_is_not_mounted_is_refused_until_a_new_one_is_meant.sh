#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

ledger app.db 5
mkdir disk
expect 0 backup-db app.db --store disk/backups
mv disk/backups away
mkdir disk/backups
expect 4 backup-db app.db --store disk/backups
says 'holdfast.json'
says '--new-store'
is "$(find disk -type f)" "" "what was written into the empty mount point"
rmdir disk/backups
expect 4 backup-db app.db --store disk/backups
[ ! -e disk/backups ] || wrong "the store was made again"
expect 3 restore-db --store disk/backups latest --to sqlite:look.db
expect 3 backup-guard --store disk/backups
# A folder above it that is missing is not made either.
expect 1 backup-db app.db --store nowhere/at/all
[ ! -e nowhere ] || wrong "nowhere was made"
mv away disk/backups
expect 0 backup-db app.db --store disk/backups
is "$(count dev disk/backups)" 2 "backups"
mv disk/backups away
expect 0 backup-db app.db --store disk/backups --new-store
is "$(count dev disk/backups)" 1 "backups in the new store"
expect 0 backup-db app.db --store nowhere/at/all --new-store
# The old one in its place again is another store than the one that is remembered now.
rm -rf disk/backups
mv away disk/backups
expect 4 backup-db app.db --store disk/backups
says 'another store'
nothing_left
