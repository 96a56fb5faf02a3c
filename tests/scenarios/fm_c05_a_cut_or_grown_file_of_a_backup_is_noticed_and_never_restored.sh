#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

ledger app.db 50
expect 0 backup-db app.db
folder=$(backup)
cp -a "$folder" whole
sqlite3 app.db 'DELETE FROM entry WHERE id > 10'
before=$(hash_of app.db)
for file in manifest.json SHA256SUMS database.index database.sqlite.gz; do
    for damage in 'truncate -s 0' 'truncate -s -1' 'truncate -s +1'; do
        $damage "$folder/$file"
        expect 3 backup-guard --verify structure
        prints "$(basename "$folder")"
        run restore-db "$folder" --to sqlite:app.db --no-safety-backup
        is "$STATUS" 3 "status of restoring from $file after $damage"
        is "$(hash_of app.db)" "$before" "the target"
        cp -a "whole/$file" "$folder/$file"
    done
done
# A second gzip member behind the first is as wrong as garbage.
echo more | gzip >>"$folder/database.sqlite.gz"
expect 3 backup-guard --verify checksum
cp -a whole/database.sqlite.gz "$folder"
all_verify -q
nothing_left
