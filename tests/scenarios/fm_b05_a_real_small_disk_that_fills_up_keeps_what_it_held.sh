#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

[ "$(id -u)" = 0 ] || not_run "mounting a small disk takes root"
mkdir disk
mount -t tmpfs -o size=3m none disk 2>"$ERR" || not_run "no tmpfs can be mounted here"
trap 'umount disk' EXIT
ledger small.db 50
big_ledger big.db 6
expect 0 backup-db small.db --store disk/backups
good=$(made)
run backup-db big.db --store disk/backups
is "$STATUS" 1 "status of a backup that does not fit"
prints_nothing
# Which of the two notices first depends on what the last backup needed.
grep -qi -e 'no space left' -e 'not enough space' -e 'disk of .*/disk/backups/.* is full' "$ERR" || wrong "stderr does not say that the disk is full"
is "$(backups dev disk/backups)" "$good" "the backups on the full disk"
[ -z "$(find disk -name '.staging-*')" ] || wrong "a staging folder is left"
expect 0 backup-guard --verify structure --store disk/backups
# A restore that does not fit leaves its target alone, too.
expect 0 backup-db big.db --store backups
cp small.db disk/app.db
before=$(hash_of disk/app.db)
run restore-db --store backups latest --to sqlite:disk/app.db
is "$STATUS" 1 "status of a restore that does not fit"
is "$(hash_of disk/app.db)" "$before" "the target"
is "$(find disk -name 'app.db*')" disk/app.db "what lies beside the target"
# The audit trail goes on until its last page is full; then each line that does not fit is cut off again.
dd if=/dev/zero of=disk/full bs=1k 2>/dev/null || :
lacking=0
for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
    run restore-db --store disk/backups 20300101
    is "$STATUS" 3 "status without room for the audit trail"
    ! grep -qF 'the audit trail lacks a line' "$ERR" || lacking=$((lacking + 1))
    is "$(tail -c 1 disk/backups/audit/*.jsonl | od -An -c | tr -d ' ')" '\n' "the end of the trail"
    expect 0 backup-guard audit --store disk/backups
done
[ "$lacking" -gt 0 ] || wrong "every line of the audit trail fitted"
rm disk/full
expect 0 backup-guard --store disk/backups
expect 0 backup-guard audit --store disk/backups
