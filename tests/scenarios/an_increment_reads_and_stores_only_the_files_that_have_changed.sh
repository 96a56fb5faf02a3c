#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"
# shellcheck source=tests/scenarios/files_lib.sh
. "$SCENARIOS/files_lib.sh"

ledger app.db 50
odd_files media
mkdir media/many
for number in $(seq 300); do head -c 5000 /dev/urandom >"media/many/$number"; done
echo K=1 >.env
config '[env.dev]' 'database = "app.db"' 'files = ["media"]' 'config_files = [".env"]'
# A file whose time lies ahead is marked as read each time that it is read, on nearly every file system.
touch -d 2030-01-01 media/many/7 media/large.bin
expect 0 at 2031-01-01T00:00:00Z backup-full
full=$(made)
read_at() { stat -c %X media/many/7; }
read_before=$(read_at)
sleep 1.1

expect 0 at 2031-01-02T00:00:00Z backup-full --type incremental
first=$(backup)
is "$(jq -r '.type, .parent' "$first/manifest.json" | tr '\n' ' ')" "incremental $full " 'the type and the parent'
is "$(jq -r '.components[] | select(.role == "files").file' "$first/manifest.json")" files.tar.delta 'its file'
[ "$(wc -c <"$first/files.tar.delta")" -lt 60000 ] || wrong "$(wc -c <"$first/files.tar.delta") bytes for nothing"
is "$(read_at)" "$read_before" 'when a file that has not changed was read'
cat media/many/7 >/dev/null
[ "$(read_at)" != "$read_before" ] || echo 'this file system does not say when a file was read' >&2
expect 0 backup-guard --verify restore "$(basename "$first")"

# What has changed is in the next, what has gone is not.
echo changed >media/album/one.txt
rm media/many/1 "media/only a hole"
echo new >media/many/new
mv media/many/2 media/many/two
chmod 600 media/many/3
cp -p media/large.bin "$SAID/large"
printf 'X' | dd of=media/large.bin bs=1 seek=1000000 conv=notrunc 2>/dev/null
touch -d 2030-01-01 media/large.bin
expect 0 at 2031-01-03T00:00:00Z backup-full --type incremental
second=$(backup)
id=$(made)
[ "$(wc -c <"$second/files.tar.delta")" -lt 400000 ] || wrong "$(wc -c <"$second/files.tar.delta") bytes for a few changes"
expect 0 backup-guard --verify restore "$id"
expect 0 restore-db latest --files-to back
same_files media back/media
expect 0 restore-db latest --files-to one --only large.bin --only 'many/[0-9]' --only two --only one.txt
cmp media/large.bin one/media/large.bin
cmp media/many/two one/media/many/two
is "$(cat one/media/album/one.txt)" changed 'a changed file alone'
expect 0 restore-db "$full" --files-to old --only large.bin
cmp "$SAID/large" old/media/large.bin
# By hand, from the increment's own folder.
mkdir by-hand
(cd "$second" && python3 recover.py --role files . -) | tar -xpf - -C by-hand 2>/dev/null
same_files media by-hand/media
grep -qF 'recover.py --role files' "$second/RESTORE.txt" || wrong 'RESTORE.txt does not say how'

# A base that is damaged is no base: the next is a full, and a restore names what is bad.
mv "backups/dev/$full/files.tar.gz" "$SAID/kept"
head -c 1000000 "$SAID/kept" >"backups/dev/$full/files.tar.gz"
expect 3 restore-db "$id" --files-to none
expect 0 at 2031-01-04T00:00:00Z backup-full --type incremental
is "$(jq -r .type "$(backup)/manifest.json")" full 'the type without a base'
cat "$SAID/kept" >"backups/dev/$full/files.tar.gz"
chmod 600 "backups/dev/$full/files.tar.gz"
nothing_left
