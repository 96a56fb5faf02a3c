#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"
# shellcheck source=tests/scenarios/files_lib.sh
. "$SCENARIOS/files_lib.sh"

mkdir media
echo a >media/a
config 'env.dev.files = ["media"]'
expect 0 backup-full
first=$(made)
expect 0 backup-guard --verify restore
expect 0 restore-db --list
prints "$first"
expect 3 restore-db latest
expect 3 restore-db "$first"
says 'holds no database'
says '--files-to'
expect 0 restore-db latest --files-to back
same_files media back/media
expect 2 backup-db
says 'has no database'

# With a database later: latest is the newest that holds what is asked for.
ledger app.db 3
expect 0 backup-db app.db -e dev
expect 0 restore-db latest --files-to again
prints "$first"
same_files media again/media

# Without a configuration; and without anything.
rm holdfast.toml
expect 0 backup-full media --store elsewhere
is "$(jq -r '[.components[].role] | join(" ")' "$(backup)/manifest.json")" files roles
expect 2 backup-full --store elsewhere
says 'neither a database nor files'
expect 0 backup-full --database app.db media --store elsewhere
is "$(jq -r '[.components[].role] | join(" ")' "$(backup)/manifest.json")" 'database files' roles

# A backup that holds no files says so.
expect 0 backup-db app.db --store third
expect 3 restore-db latest --files-to none --store third
says 'that holds files'
expect 3 restore-db "$(backups dev third)" --files-to none --store third
says 'holds no files'
nothing_left
