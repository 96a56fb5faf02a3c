#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

# whole ID WHERE: the increment and all that it needs is there, and holds what it held when it was made.
whole() {
    is "$(count dev "$2")" 3 "backups in $2"
    expect 0 backup-guard -q --verify structure --store "$2"
    expect 0 restore-db "$1" --store "$2" --to "sqlite:$2.db"
    has_rows "$2.db" 252
    expect 0 restore-db "$1" --store "$2" --files-to "$2.files"
    diff -r wanted "$2.files/media" >"$OUT" || wrong "the files of $2 are others: $method"
    rm -rf "$2.db" "$2.files"
}
for method in gzip zstd; do
    rm -rf media app.db
    mkdir media
    for name in a b c; do head -c 300000 /dev/urandom >"media/$name"; done
    ledger app.db 250
    sqlite3 app.db 'CREATE TABLE scan (page BLOB); INSERT INTO scan VALUES (randomblob(400000))'
    config "store = \"from-$method\"" "compression = \"$method\"" '[env.dev]' 'database = "app.db"' 'files = ["media"]'
    expect 0 at 2020-11-01T12:00:00Z backup-full
    for hour in 13 14; do
        add_row app.db
        head -c 200000 /dev/urandom >"media/of $hour"
        expect 0 at "2020-11-01T$hour:00:00Z" backup-full --type incremental
        rm -rf wanted
        cp -Rp media wanted
    done
    last=$(made)
    expect 0 backup-catalog export "$last" -o "$method.tar.gz" --json
    is "$(value '.backups | length')" 3 'backups in the file'
    rm -rf "from-$method"
    config ''

    expect 0 backup-catalog import "$method.tar.gz" --store "to-$method"
    whole "$last" "to-$method"

    # What is damaged in the store is not what was asked for, and nothing is to stand on it.
    full=$(backups dev "to-$method" | head -n 1)
    newer=$(backups dev "to-$method" | tail -n +2)
    (cd "to-$method/dev" && for id in $newer; do rm -rf "$id"; done)
    printf 'oops' | dd of="$(ls "to-$method/dev/$full"/files.tar.*)" bs=1 seek=500 conv=notrunc 2>/dev/null
    expect 3 backup-catalog import "$method.tar.gz" --store "to-$method"
    says "the store has $full already, and it is damaged there"
    is "$(count dev "to-$method")" 1 'backups on a damaged base'

done

# Killed anywhere, each time in a store of its own: what can be seen is whole, and the repeat brings the rest.
at_step=40
while :; do
    at_step=$((at_step + 1 + $(random 15)))
    store=third-$at_step
    run env "HOLDFAST_TEST_STOP_AT=$at_step" backup-catalog import zstd.tar.gz --store "$store" --new-store
    [ "$STATUS" != 0 ] || break
    there=$(count dev "$store")
    [ "$there" = 0 ] || expect 0 backup-guard -q --verify structure --store "$store"
    expect 0 backup-catalog import zstd.tar.gz --store "$store" --new-store
    case $there in 0) ;; *) whole "$last" "$store" ;; esac
done
[ "$at_step" -gt 80 ] || wrong "only $at_step steps"
rm -rf third-*
is "$(find . -name '.staging-20*')" '' 'what is left'
