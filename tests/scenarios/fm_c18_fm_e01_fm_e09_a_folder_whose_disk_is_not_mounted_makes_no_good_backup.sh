#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

ledger app.db 3000
mkdir media other
head -c 90000 /dev/urandom >media/photo
echo kept >other/note
config '[env.prod]' 'database = "app.db"' 'files = ["media", "other"]' 'min_verified = 1' '[env.prod.retention]' 'keep_last = 2'
for day in 01 05 09; do expect 0 at 2026-10-${day}T00:00:00Z backup-full; done
photos() {
    for folder in backups/prod/*; do gunzip -c "$folder/files.inventory.jsonl.gz"; done | grep -c 'media/photo'
}
is "$(photos)" 2 'backups with the photo'

# What a disk that is not mounted leaves is an empty folder. However often, and however it is backed up: it counts for nothing.
mv media/photo .
for day in 10 11 12; do
    expect 7 at 2026-10-${day}T00:00:00Z backup-full
    says 'media is not in the backup as it should be: it is empty, and was not so in '
    says 'is a disk not mounted?'
    says 'backup-full --accept-empty media'
done
expect 7 at 2026-10-13T00:00:00Z backup-full --type incremental
is "$(photos)" 2 'backups with the photo after four empty ones'
expect 3 at 2026-10-13T01:00:00Z backup-guard --max-age 26h

# The disk is there again.
mv photo media
expect 0 at 2026-10-14T00:00:00Z backup-full

# A backup of an older version that does not say how many entries it holds is asked for its list.
silent=$(backup)
jq 'del(.components[].files?.roots[]?.entries, .components[].files?.roots[]?.bytes)' "$silent/manifest.json" >manifest
cat manifest >"$silent/manifest.json"
sum=$(hash_of manifest)
sed -i "s/^[0-9a-f]*  manifest.json\$/$sum  manifest.json/" "$silent/SHA256SUMS"
mv media/photo .
expect 7 at 2026-10-15T00:00:00Z backup-full
says "was not so in $(basename "$silent")"

# A pattern that leaves nothing of it is no backup of it, either; the words say what is.
mv photo media
expect 0 at 2026-10-16T00:00:00Z backup-full
sed -i 's/^files.*/&\nexclude = ["photo"]/' holdfast.toml
expect 7 at 2026-10-17T00:00:00Z backup-full
says 'nothing is below it that would be backed up'
sed -i '/^exclude/d' holdfast.toml

# It is meant: said once, by name or by path. A slip of the pen is told at once.
mv media/photo .
expect 2 backup-full --accept-empty medai
says 'what there is: media, other'
expect 2 backup-full --accept-empty medai -n
expect 0 at 2026-10-18T00:00:00Z backup-full --accept-empty ./media --no-prune
expect 0 at 2026-10-19T00:00:00Z backup-full
# Nothing of what was before goes until a person has said that, too: the database is as large as ever.
is "$(photos)" 3 'backups with the photo after it was accepted'
expect 0 at 2026-10-19T01:00:00Z backup-catalog prune -n
prints "holds 0 bytes of $PWD/media, usual are 90000"
mv photo media

# Nine files of ten are gone, and the rest is what it was.
rm -rf backups "$HOLDFAST_STATE_DIR"
for name in 0 1 2 3 4 5 6 7 8 9; do echo $name >media/$name; done
for day in 01 02; do expect 0 at 2026-10-${day}T00:00:00Z backup-full; done
rm media/[0-8]
for day in 10 11 12; do expect 0 at 2026-10-${day}T00:00:00Z backup-full; done
is "$(count prod)" 5 'backups after a fall to two files'
expect 0 at 2026-10-12T01:00:00Z backup-catalog prune -n
prints "holds 2 entries of $PWD/media, usual are 11"
