#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

mkdir -p media/album
echo same >media/same
echo before >media/changed
echo 12345 >media/gone
echo x >media/album/deep
ln -s same media/link
ledger app.db 3
echo K=1 >.env
config '[env.dev]' 'database = "app.db"' 'files = ["media"]' 'config_files = [".env"]' 'exclude = ["*.log"]'
expect 0 backup-full
echo longer than before >media/changed
rm media/gone
echo 1234567 >media/added
echo nobody cares >media/a.log
ln -sf gone media/link
before=$(snapshot .)
expect 0 restore-db latest --preview --all
tab=$(printf '\t')
for line in "not in the backup${tab}8${tab}media/added" "same${tab}2${tab}media/album/deep" "differs${tab}7${tab}media/changed" "missing now${tab}6${tab}media/gone" \
    "differs${tab}0${tab}media/link" "same${tab}5${tab}media/same" "same${tab}4${tab}.env"; do
    grep -qxF "$line" "$OUT" || wrong "a line is missing: $line"
done
lacks "$OUT" a.log
says '1 missing now (6 bytes), 2 differs (7 bytes), 1 not in the backup (8 bytes)'
is "$(snapshot .)" "$before" 'what a preview left'
expect 0 restore-db latest --preview
is "$(cut -f1 "$OUT" | sort | uniq -c | awk '{$1=$1; print}' | tr '\n' ' ')" '2 differs 1 missing now 1 not in the backup ' 'only what differs'
says ' same ('
expect 0 restore-db latest --preview --only 'media/g*' --json
is "$(jq -c '[.entries[] | [.change, .path, .type, .bytes, .bytes_now]]' "$OUT")" '[["added","media/gone","file",6,null]]' 'one entry'
is "$(jq -c '[.same, .added, .changed, .removed] | map(.entries)' "$OUT")" '[0,1,0,0]' 'totals'

# Against a folder, and as the plan of a restore.
expect 0 restore-db latest --files-to back -n
prints 'add          8 missing now'
[ ! -e back ] || wrong 'a dry run made a folder'
expect 0 restore-db latest --files-to back
echo 2 >back/media/album/deep
expect 0 restore-db latest --files-to back --preview
is "$(cut -f1 "$OUT")" differs 'against a folder'
# Nothing is ever removed; what would not be backed up is not counted among what stays, and what is replaced is gone.
mkdir back/media/logs
echo nobody cares >back/media/logs/a.log
echo mine >back/media/mine
expect 0 restore-db latest --files-to back --overwrite -n
prints 'keep         2 stay that are not in the backup'
prints '1 differ (2 bytes), and 7 are the same'
prints 'nothing of what is replaced is kept'
lacks "$OUT" removed
expect 4 restore-db latest --files-to back
says 'gone for good'
# A pattern that nothing fits is told, though another fits something.
expect 0 restore-db latest --files-to some --only same --only 'no such*'
says 'fits --only no such*'
lacks "$ERR" 'fits --only same'
expect 2 restore-db latest --only x
says '--files-to'
