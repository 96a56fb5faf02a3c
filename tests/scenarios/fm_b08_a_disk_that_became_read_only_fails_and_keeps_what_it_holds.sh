#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

[ "$(id -u)" = 0 ] || not_run "mounting takes root"
mkdir disk
mount -t tmpfs -o size=8m none disk 2>"$ERR" || not_run "no tmpfs can be mounted here"
trap 'umount disk' EXIT
ledger app.db 5
cp app.db disk/app.db
expect 0 backup-db app.db --store disk/backups
good=$(made)
mount -o remount,ro disk
expect 1 backup-db app.db --store disk/backups
says 'Read-only file system'
prints_nothing
expect 1 restore-db --store disk/backups latest --to sqlite:disk/app.db --no-safety-backup
says 'Read-only file system'
# A database on such a disk can still be backed up, and the store still be listed.
expect 0 backup-db disk/app.db --store backups
expect 0 restore-db --store disk/backups --list
prints "$good"
mount -o remount,rw disk
is "$(backups dev disk/backups)" "$good" "the backups"
expect 0 backup-guard --verify structure --store disk/backups
has_rows disk/app.db 5
