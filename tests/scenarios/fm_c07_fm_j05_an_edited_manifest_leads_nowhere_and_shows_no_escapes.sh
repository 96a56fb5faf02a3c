#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

ledger app.db 5
expect 0 backup-db app.db --reason "$(printf 'a\033[2Jb\nc')"
folder=$(backup)
# Shown on a pipe it is one line; on a terminal (script makes one) no escape gets through.
expect 0 restore-db --list
is "$(grep -c . "$OUT")" 2 "lines of the list"
if command -v script >/dev/null; then
    script -qec 'restore-db --list' /dev/null >"$OUT" </dev/null
    ! grep -q "$(printf '\033\\[2J')" "$OUT" || wrong "an escape of the manifest reached the terminal"
fi
expect 0 restore-db --list --json
is "$(jq -r '.backups[0].reason' "$OUT" | od -An -c | tr -d ' \n')" 'a033[2Jb\nc\n' "the reason in JSON"

echo secret >outside
cp -a "$folder" whole
# edited PROGRAM OF jq: with SHA256SUMS made to agree, as somebody would who means it.
edited() {
    rm -rf "$folder"
    cp -a whole "$folder"
    jq "$1" whole/manifest.json >"$folder/manifest.json"
    (cd "$folder" && sha256sum database.index database.sqlite.gz manifest.json RESTORE.txt >SHA256SUMS)
    before=$(hash_of app.db)
    expect 3 backup-guard --verify restore
    run restore-db "$folder" --to sqlite:app.db --no-safety-backup
    # 1 where it claims more than the disk holds.
    case $STATUS in 1 | 3) ;; *) wrong "$1: status $STATUS" ;; esac
    is "$(hash_of app.db)" "$before" "the target after $1"
}
edited '.components[0].file = "../../../outside"'
edited '.components[0].file = "/etc/passwd"'
edited '.components[0].index = "../holdfast.json"'
edited '.components[0].plain_bytes = 1'
edited '.components[0].plain_bytes = 1000000000000'
edited '.components[0].stored_bytes = 99999999999'
edited '.components[0].frames = 9'
edited '.components[0].content = "postgres sql"'
edited '.components = []'
edited '.components += [.components[0]]'
edited '.fingerprint.tables.entry.rows = 6'
edited '.fingerprint.tables = {}'
edited '.environment = "../x"'
edited '.format = 99'
# Too deep, too large, no JSON at all.
for text in "$(printf '%0100000d' 0 | tr 0 '[')" '{}' '"x"' ''; do
    rm -rf "$folder"
    cp -a whole "$folder"
    printf '%s' "$text" >"$folder/manifest.json"
    (cd "$folder" && sha256sum database.index database.sqlite.gz manifest.json RESTORE.txt >SHA256SUMS)
    expect 3 backup-guard --verify structure
done
truncate -s 40M "$folder/manifest.json"
(cd "$folder" && sha256sum database.index database.sqlite.gz manifest.json RESTORE.txt >SHA256SUMS)
expect 3 backup-guard --verify structure
# A link in the place of a file is not followed.
rm -rf "$folder"
cp -a whole "$folder"
mv "$folder/database.sqlite.gz" elsewhere
ln -s "$PWD/elsewhere" "$folder/database.sqlite.gz"
expect 3 backup-guard --verify structure
is "$(cat outside)" secret "the file outside"
rm -rf "$folder"
cp -a whole "$folder"
# What a rehearsal found wrong, only a rehearsal clears.
expect 0 backup-guard --verify restore
all_verify -q
nothing_left
