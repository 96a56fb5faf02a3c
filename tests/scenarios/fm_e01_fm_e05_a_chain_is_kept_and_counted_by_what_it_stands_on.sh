#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

fresh() {
    rm -rf backups "$HOLDFAST_STATE_DIR" app.db
    ledger app.db 3000
}
# on DAY FLAGS…: something changes, and a backup is made on that day.
on() {
    day=$1
    shift
    add_row app.db
    expect 0 at "${day}T00:00:00Z" backup-db app.db "$@"
}
flipped() { printf 'XXXX' | dd of="$1" bs=1 seek="${2:-5000}" conv=notrunc 2>/dev/null; }
there() { backups | grep -qx -e "$1" || wrong "$1 is gone: $2"; }

# What cannot be read just now may need an older one, which then stays.
for how in evicted newer; do
    fresh
    on 2026-09-20 --type full
    full=$(made)
    on 2026-10-10 --type incremental
    increment=$(made)
    for day in 15 16 17 18; do on 2026-10-$day; done
    manifest=backups/dev/$increment/manifest.json
    cp "$manifest" kept.json
    case $how in
        evicted) mv "$manifest" "backups/dev/$increment/.manifest.json.icloud" ;;
        newer) sed -i 's/"format": 1/"format": 2/' "$manifest" ;;
    esac
    on 2026-11-05 --keep-days 30
    rm -f "backups/dev/$increment/.manifest.json.icloud"
    cp kept.json "$manifest"
    there "$full" "its increment was $how"
    expect 0 restore-db "$increment" --to sqlite:back.db
    rm back.db
done
# What is not there for the moment makes nothing damaged.
fresh
on 2026-08-10 --type full
full=$(made)
on 2026-08-20 --type incremental
increment=$(made)
for day in 15 16 17 18; do on 2026-10-$day; done
mv "backups/dev/$full" "backups/dev/.$full.icloud"
on 2026-11-05 --keep-days 30 --keep-monthly 12
mv "backups/dev/.$full.icloud" "backups/dev/$full"
there "$increment" "its full was away"
expect 0 restore-db "$increment" --to sqlite:back.db
rm back.db
# Increments on a full that is known to be damaged are not good, and never push out what is.
fresh
on 2026-10-01
good=$(made)
on 2026-10-02
bad=$(made)
for day in 03 04 05; do on 2026-10-$day --type incremental; done
flipped "backups/dev/$bad/database.sqlite.gz"
expect 3 at 2026-10-05T01:00:00Z backup-guard --max-age 26h --json
is "$(jq -r '.newest[0].id' "$OUT")" "$good" "the newest good one"
is "$(jq -r '.findings[] | select(.check == "age") | .state' "$OUT")" failed "the age"
expect 0 restore-db latest -n --to sqlite:back.db --json
is "$(value .origin)" "$good" "what latest means"
expect 3 backup-guard "$(backups | sed -n 4p)" --verify checksum
prints 'which it needs, has changed'
on 2026-11-20 --type auto --keep-last 1 --keep-min 3
there "$good" "it was the last good one"
expect 0 restore-db "$good" --to sqlite:back.db
rm back.db
# One that nobody has looked at yet: a rehearsal finds it, and a full is made instead of nothing.
fresh
sqlite3 app.db 'CREATE TABLE scan (page BLOB); INSERT INTO scan VALUES (randomblob(900000))'
on 2026-10-01
flipped "backups/dev/$(made)/database.sqlite.gz" 600000
on 2026-10-02 --type auto --verify restore --json
is "$(value .manifest.type)" full "the type of the next one"
says 'cannot be referred to, so this one is a full'
expect 0 backup-guard latest --verify restore
# Another database of the environment is no base.
ledger other.db 3000
expect 0 at 2026-10-04T00:00:00Z backup-db other.db -e dev --type auto --json
is "$(value .manifest.type)" full "the type of another database's first one"
nothing_left
