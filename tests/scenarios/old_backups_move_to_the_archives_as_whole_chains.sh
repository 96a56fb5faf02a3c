#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"
# shellcheck source=tests/scenarios/chains.sh
. "$SCENARIOS/chains.sh"

ledger app.db 50
config 'min_verified = 1' '[env.dev]' 'database = "app.db"' '[env.dev.retention]' 'archive_after_days = 30' 'keep_min = 2'
for day in 01 02 03 04; do expect 0 at "2020-11-${day}T12:00:00Z" backup-db -e dev; done
old=$(backups | head -n 1)
full=$(backups | sed -n 2p)
other=$(backups | sed -n 3p)
young=$(increment "$full" 2020-12-10T12:00:00.000Z)

# The chain of a young increment stays as a whole, and so do the newest two.
expect 0 at 2020-12-20T12:00:00Z backup-catalog archive -n --json
is "$(value '[.plan.lines[] | select(.is_moved) | .id] | join(" ")')" "$old $other" "what would be moved"
is "$(count)" 5 "a dry run moves nothing"
expect 0 at 2020-12-20T12:00:00Z backup-catalog archive
prints "archived	$old"
[ -f "backups/archives/$old/manifest.json" ] || wrong "it is not in the archives"
expect 0 at 2020-12-20T12:00:00Z backup-catalog archive
prints_nothing

# It is listed, chosen, checked and restored like any other, and no alarm is raised.
expect 0 backup-catalog list -e dev --json
is "$(value '.backups[0] | .id + " " + .place')" "$old archives" "in the list"
expect 0 restore-db "$old" --to sqlite:restored.db
has_rows restored.db 50
all_verify -q -e dev --max-age 800000h

# Later the chain is old, and moves as one; the newest two stay whatever their age. A pin is no reason to stay.
for day in 01 02; do expect 0 at "2021-01-${day}T12:00:00Z" backup-db -e dev --no-prune; done
expect 0 backup-catalog pin "$full"
expect 0 at 2021-03-01T12:00:00Z backup-catalog archive
is "$(find backups/archives -name "$full" -o -name "$young" | wc -l | tr -d ' ')" 2 "the chain in the archives"
is "$(count)" 2 "what stays"
chains_are_whole

# A link in place of the archives is not followed.
mv backups/archives elsewhere
ln -s ../elsewhere backups/archives
expect 0 at 2021-03-01T12:00:00Z backup-db -e dev --no-prune
expect 4 at 2021-04-20T12:00:00Z backup-catalog archive
says "is not a folder of the store"
is "$(find elsewhere -mindepth 1 -maxdepth 1 | wc -l | tr -d ' ')" 5 "nothing more behind the link"
rm backups/archives
mv elsewhere backups/archives

# A backup archives by itself, after its retention.
expect 0 at 2021-06-01T12:00:00Z backup-db -e dev --json
is "$(value '.retention.archived')" 2 "archived by the backup"
is "$(count)" 2 "what stays"
chains_are_whole

# cleanup does all of it, and prints what it removed.
config 'min_verified = 1' '[env.dev]' 'database = "app.db"' '[env.dev.retention]' 'keep_last = 1'
expect 0 at 2021-07-01T12:00:00Z backup-catalog cleanup -n
expect 0 at 2021-07-01T12:00:00Z backup-catalog cleanup --json
is "$(value '.environments[0].removed')" 7 "backups removed"
expect 0 backup-catalog list -e dev --json
is "$(value '[.backups[].id] | index("'"$full"'") != null')" true "the pinned one stays"
expect 0 at 2021-07-01T12:00:00Z backup-catalog cleanup
prints "removed 0 old backups"
nothing_left
