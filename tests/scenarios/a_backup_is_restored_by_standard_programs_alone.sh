#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

ledger app.db 50
for method in gzip zstd none gzip:9 zstd:1; do
    expect 0 backup-db app.db --compression "$method"
    folder=$(backup)
    (cd "$folder" && sha256sum --quiet -c SHA256SUMS) || wrong "sha256sum does not agree"
    case $method in
        gzip*) gunzip -c "$folder/database.sqlite.gz" >by-hand.db ;;
        zstd*) zstd -qdc "$folder/database.sqlite.zst" >by-hand.db ;;
        none) cp "$folder/database.sqlite" by-hand.db ;;
    esac
    has_rows by-hand.db 50
    [ -s "$folder/RESTORE.txt" ] || wrong "no instructions"
    rm by-hand.db
    expect 0 backup-guard --verify exact "$(basename "$folder")"
    expect 0 restore-db "$folder" --to sqlite:look.db --no-safety-backup
    has_rows look.db 50
done
expect 2 backup-db app.db --compression lzma
expect 2 backup-db app.db --compression gzip:99
nothing_left
