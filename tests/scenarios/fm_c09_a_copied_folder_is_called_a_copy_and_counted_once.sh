#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

ledger app.db 5
expect 0 backup-db app.db
id=$(made)
cp -a "backups/dev/$id" "backups/dev/$id 2"
copy=20201101T000000Z-dev-db-0001
cp -a "backups/dev/$id" "backups/dev/$copy"
expect 3 backup-guard
prints "is a copy of $id"
prints "$id 2"
expect 0 restore-db latest
prints "$id"
# A copy elsewhere is a backup all the same, when it is named as a folder.
cp -a "backups/dev/$id" "carried home"
expect 0 restore-db "./carried home" --to sqlite:other.db
has_rows other.db 5
rm -rf "backups/dev/$copy" "backups/dev/$id 2"
expect 0 backup-guard
nothing_left
