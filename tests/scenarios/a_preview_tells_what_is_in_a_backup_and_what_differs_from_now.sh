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
expect 0 restore-db latest --preview
tab=$(printf '\t')
for line in "removed${tab}8${tab}media/added" "same${tab}2${tab}media/album/deep" "changed${tab}7${tab}media/changed" "added${tab}6${tab}media/gone" \
    "changed${tab}0${tab}media/link" "same${tab}5${tab}media/same" "same${tab}4${tab}.env"; do
    grep -qxF "$line" "$OUT" || wrong "a line is missing: $line"
done
lacks "$OUT" a.log
says '1 added (6 bytes), 2 changed (7 bytes), 1 removed (8 bytes)'
is "$(snapshot .)" "$before" 'what a preview left'
expect 0 restore-db latest --preview --only 'media/g*' --json
is "$(jq -c '[.entries[] | [.change, .path, .type, .bytes, .bytes_now]]' "$OUT")" '[["added","media/gone","file",6,null]]' 'one entry'
is "$(jq -c '[.same, .added, .changed, .removed] | map(.entries)' "$OUT")" '[0,1,0,0]' 'totals'

# Against a folder, and as the plan of a restore.
expect 0 restore-db latest --files-to back -n
prints '0 same'
[ ! -e back ] || wrong 'a dry run made a folder'
expect 0 restore-db latest --files-to back
echo 2 >back/media/album/deep
expect 0 restore-db latest --files-to back --preview
is "$(cut -f1 "$OUT" | sort | uniq -c | awk '{print $1 $2}' | tr '\n' ' ')" '1changed 7same ' 'against a folder'
expect 2 restore-db latest --only x
says '--files-to'
