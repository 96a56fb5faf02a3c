#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"
# shellcheck source=tests/scenarios/files_lib.sh
. "$SCENARIOS/files_lib.sh"

ledger app.db 20
odd_files media
mkdir -p other/media conf
echo 'of the same name' >other/media/file
echo 'PASSWORD=hunter2' >.env
echo '[app]' >conf/settings.toml
echo state >state.json
config '[env.dev]' 'database = "app.db"' 'files = ["media", "other/media", "state.json"]' 'config_files = [".env", "conf/settings.toml"]'

# What it would do, and that passwords go with it.
expect 0 backup-full -n
prints "passwords and keys in $PWD/.env"
[ ! -e backups ] || wrong "a dry run made a store"

# One backup, of kind full, that standard programs check and unpack.
expect 0 backup-full
folder=$(backup)
says 'passwords and keys in'
is "$(jq -r .kind "$folder/manifest.json")" full kind
is "$(jq -r '[.components[].role] | join(" ")' "$folder/manifest.json")" 'database files config' roles
is "$(find "$folder" -type f ! -perm 600)" '' 'files that others can read'
(cd "$folder" && sha256sum --strict --quiet -c SHA256SUMS) || wrong 'the checksums'
mkdir by-hand
gunzip -c "$folder/files.tar.gz" | tar -xpf - -C by-hand 2>/dev/null
gunzip -c "$folder/config.tar.gz" | tar -xpf - -C by-hand
same_files media by-hand/media
is "$(du -s by-hand/media/sparse.img | cut -f1)" "$(du -s media/sparse.img | cut -f1)" 'blocks of a file with holes'
is "$(cat by-hand/media-2/file)" 'of the same name' 'the second folder of one name'
is "$(cat by-hand/.env)" 'PASSWORD=hunter2' 'the configuration'
grep -qF 'Passwords and keys' "$folder/RESTORE.txt" || wrong 'RESTORE.txt does not speak of passwords'

# The inventory has a line an entry, with the hash that sha256sum gives.
gunzip -c "$folder/files.inventory.jsonl.gz" >inventory
is "$(wc -l <inventory | tr -d ' ')" "$(jq '.components[1].files | .files + .folders + .links + .hard_links' "$folder/manifest.json")" lines
is "$(jq -r 'select(.path == "media/large.bin").sha256' inventory)" "$(hash_of media/large.bin)" 'a hash of the inventory'
is "$(jq -r 'select(.path == "media/sparse.img").bytes' inventory)" 5368709120 'the length of a file with holes'

# The same files give the same archive, byte for byte.
expect 0 backup-full
is "$(hash_of "$(backup)/files.tar.gz")" "$(hash_of "$folder/files.tar.gz")" 'a second archive'

# Both levels of the check; and the level restore before anything is published.
expect 0 backup-guard --verify structure
expect 0 backup-guard --verify restore
expect 0 backup-full --verify restore
for compression in zstd none; do
    expect 0 backup-full --compression $compression
    id=$(made)
    expect 0 backup-guard --verify structure "$id"
    rm -rf back
    expect 0 restore-db "$id" --files-to back
    same_files media back/media
done

# All of it comes back: the files beside, the database as ever.
rm -rf back
expect 0 restore-db latest --files-to back
same_files media back/media
same_files by-hand back
sqlite3 app.db 'DELETE FROM entry'
echo mine >media/mine
expect 0 restore-db latest -n
prints "files    not touched; restore-db $id --files-to DIR brings them"
expect 0 restore-db latest -n --store backups
prints "files    not touched; restore-db --store backups $id --files-to DIR brings them"
expect 0 restore-db -v latest
says "files: not touched; restore-db $id --files-to DIR brings them"
has_rows app.db 20
is "$(cat media/mine)" mine 'a file after a restore of the database'
nothing_left
all_verify -q

# What is known of its files is said where only the database is restored.
printf 'oops' | dd of="backups/dev/$id/files.tar" bs=1 seek=1000 conv=notrunc 2>/dev/null
expect 3 backup-guard "$id"
expect 0 restore-db "$id"
says "$id: a check at"
says 'files.tar has changed'
says 'its database is checked now, and its files are not'
