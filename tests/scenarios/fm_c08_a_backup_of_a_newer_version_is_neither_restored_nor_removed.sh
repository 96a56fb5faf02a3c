#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

config 'min_verified = 1' '[env.dev]' 'database = "app.db"' '[env.dev.retention]' 'keep_last = 1'
ledger app.db 5
expect 0 at 2020-11-01T12:00:00Z backup-db -e dev
newer=$(made)
folder=$(backup)
jq '.format = 2 | .shape = "new"' "$folder/manifest.json" >edited
cat edited >"$folder/manifest.json"
(cd "$folder" && sha256sum database.index database.sqlite.gz manifest.json RESTORE.txt >SHA256SUMS)
expect 0 at 2020-11-10T12:00:00Z backup-db -e dev
is "$(count)" 2 "backups: the newer one is not removed"
expect 3 restore-db -e dev "$newer"
says 'newer version'
expect 3 backup-guard -e dev
prints 'this version reads up to 1'
has_rows app.db 5
nothing_left
