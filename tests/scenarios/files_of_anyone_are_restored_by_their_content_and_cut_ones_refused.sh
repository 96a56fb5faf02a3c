#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

ledger app.db 20
sqlite3 app.db .dump >plain.sql
gzip -k plain.sql
zstd -q plain.sql -o plain.sql.zst
gzip -c app.db >app.sqlite.gz
zstd -q app.db -o app.db.zst
cp app.db misnamed.txt
cp plain.sql.gz misnamed.db
# From a pager's point of view nothing has a name; from ours neither.
for file in app.db plain.sql plain.sql.gz plain.sql.zst app.sqlite.gz app.db.zst misnamed.txt misnamed.db; do
    rm -f new.db
    expect 0 restore-db -f "$file" --to sqlite:new.db
    has_rows new.db 20
done
ledger old.db 3
before=$(hash_of old.db)
expect 0 backup-db old.db
# Each, cut at some places: refused, and the target stays.
for file in app.db plain.sql plain.sql.gz plain.sql.zst app.sqlite.gz app.db.zst; do
    size=$(wc -c <"$file")
    for cut in 0 1 10 $((size / 3)) $((size * 2 / 3)) $((size - 9)); do
        head -c "$cut" "$file" >part
        run restore-db -f part --to sqlite:old.db --no-safety-backup
        case $STATUS in 1 | 2 | 3) ;; *) wrong "$file cut at $cut of $size: status $STATUS" ;; esac
        is "$(hash_of old.db)" "$before" "the target after $file cut at $cut"
        nothing_left
    done
done
# An error in the middle, garbage behind, other programs' packings and engines.
{ cat plain.sql; echo 'INSERT INTO nowhere VALUES (1);'; } >broken.sql
{ cat plain.sql.gz; echo garbage; } >grown.sql.gz
echo hello >hello.sql
printf -- '-- MariaDB dump 10.19\nCREATE TABLE a (b int);\n' >maria.sql
printf -- '--\n-- PostgreSQL database dump\n--\nCREATE TABLE a (b int);\n' >postgres.sql
printf 'PGDMP\001\016' >postgres.dump
printf 'BZh91AY' >packed.bz2
for file in broken.sql grown.sql.gz hello.sql maria.sql postgres.sql postgres.dump packed.bz2 /dev/null . missing; do
    run restore-db -f "$file" --to sqlite:old.db --no-safety-backup
    case $STATUS in 1 | 2 | 3 | 4) [ -s "$ERR" ] || wrong "$file: not a word" ;; *) wrong "$file: status $STATUS" ;; esac
    is "$(hash_of old.db)" "$before" "the target after $file"
done
expect 4 restore-db -f postgres.sql --to sqlite:old.db
expect 2 restore-db -f app.db
# A component of a backup of ours is that backup, with all that is known of it.
cp old.db copy.db
add_row old.db
expect 0 restore-db -v -f "$(echo backups/dev/*)/database.sqlite.gz" --to sqlite:old.db
has_rows old.db 3
says 'compare'
nothing_left
