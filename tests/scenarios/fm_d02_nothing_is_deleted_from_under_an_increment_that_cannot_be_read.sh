#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

ledger app.db 2000
expect 0 at 2020-11-01T12:00:00Z backup-db app.db
full=$(made)
add_row app.db
expect 0 at 2020-11-02T12:00:00Z backup-db --type incremental app.db
first=$(made)
add_row app.db
expect 0 at 2020-11-03T12:00:00Z backup-db --type incremental app.db
second=$(made)
expect 0 at 2020-11-04T12:00:00Z backup-db --type full app.db
later=$(made)
for id in "$first" "$second"; do mv "backups/dev/$id/manifest.json" "backups/dev/$id/.manifest.json.icloud"; done
for how in '' -n --with-dependents; do
    # shellcheck disable=SC2086 # nothing, or a flag
    expect 4 backup-catalog delete "$full" $how
    says "cannot be read just now, and may need $full"
done
# What is newer than all of them is needed by none.
expect 0 backup-catalog delete "$later" -n
for id in "$first" "$second"; do mv "backups/dev/$id/.manifest.json.icloud" "backups/dev/$id/manifest.json"; done
expect 0 restore-db "$second" --to sqlite:out.db
has_rows out.db 2002
expect 4 backup-catalog delete "$full"
says "is needed by"
