#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

config 'min_verified = 1' '[env.dev]' 'database = "app.db"' '[env.dev.retention]' 'keep_last = 1'
ledger app.db 5
expect 0 at 2020-11-01T12:00:00Z backup-db -e dev
evicted=$(made)
mv "$(backup)/database.sqlite.gz" evicted
: >"$(backup)/.database.sqlite.gz.icloud"
expect 0 at 2020-11-02T12:00:00Z backup-db -e dev
conflicted=$(made)
cp "$(backup)/manifest.json" "$(backup)/manifest 2.json"
mkdir "backups/dev/$conflicted 2"
echo x >"backups/dev/notes (Anna's conflicted copy 2020-11-03).txt"
expect 0 at 2020-11-10T12:00:00Z backup-db -e dev
newest=$(made)
for one in "$evicted/.database.sqlite.gz.icloud" "$conflicted/manifest 2.json" "$conflicted 2" "$newest/manifest.json" \
    "notes (Anna's conflicted copy 2020-11-03).txt"; do
    [ -e "backups/dev/$one" ] || wrong "$one is gone"
done
expect 3 backup-guard -e dev --max-age 800000h --verify quick
prints 'only in the cloud'
prints 'manifest 2.json'
prints 'conflicted copy'
expect 0 backup-guard -e dev "$newest"
# latest is one that can be read.
expect 0 restore-db -e dev latest
prints "$newest"
nothing_left
