#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"
# shellcheck source=tests/scenarios/chains.sh
. "$SCENARIOS/chains.sh"

ledger app.db 50
config '[env.dev]' 'database = "app.db"' '[env.prod]' 'database = "app.db"' 'protected = true'
for day in 01 02 03; do expect 0 at "2020-11-${day}T12:00:00Z" backup-db -e dev; done
full=$(backups | head -n 1)
one=$(increment "$full" 2020-11-01T13:00:00.000Z)
two=$(increment "$one" 2020-11-01T14:00:00.000Z)
chains_are_whole
before=$(snapshot backups/dev)

# What others need stays, and is named with them.
expect 4 backup-catalog delete "$full"
says "$full is needed by $one, $two"
expect 4 backup-catalog delete "$one"
says "$two"
expect 4 backup-catalog delete "$full" "$two"
expect 0 backup-catalog show "$one" --json
is "$(value '.needs | join(" ")') $(value '.needed_by | join(" ")')" "$full $two" "its relatives"
is "$(snapshot backups/dev)" "$before" "what there is after refusals"

# The plan, and a pin on something that would go along.
expect 0 backup-catalog delete "$full" --with-dependents -n --json
is "$(value '[.lines[].id] | join(" ")')" "$two $one $full" "leaves first"
is "$(value .approval.is_needed)" false "newer verified backups make up for it"
expect 0 backup-catalog pin "$two"
expect 4 backup-catalog delete "$full" --with-dependents
says "$two is pinned"
expect 0 backup-catalog unpin "$two"
expect 0 backup-catalog delete "$full" --with-dependents
prints "deleted	$two"
is "$(count)" 2 "backups left"
[ ! -e "backups/labels/$two.jsonl" ] || wrong "labels outlive their backup"
chains_are_whole
expect 0 backup-guard -q -e dev --max-age 800000h

# Somebody's notes, an unreadable one, and latest.
left=$(backups | head -n 1)
echo note >"backups/dev/$left/note.txt"
expect 4 backup-catalog delete "$left"
says "files that are not the backup's"
rm "backups/dev/$left/note.txt"
expect 2 backup-catalog delete latest
expect 3 backup-catalog delete 1999
mv "backups/dev/$left/SHA256SUMS" sums
expect 3 backup-catalog delete "$left"
says "remove the folder by hand"
mv sums "backups/dev/$left/SHA256SUMS"

# The only good copy, and a protected environment, want a word.
expect 0 backup-catalog delete "$left"
only=$(backups)
expect 4 backup-catalog delete "$only"
says "no verified backup holds what would be gone"
expect 0 env HOLDFAST_TEST_NOW=2020-11-05T12:00:00Z backup-db -e prod
expect 0 backup-db -e prod
kept=$(backups prod | head -n 1)
expect 4 backup-catalog delete "$kept"
says "prod is protected"
plan backup-catalog delete "$kept"
expect 0 backup-catalog delete "$kept" --confirm "$CODE"
expect 3 backup-catalog delete "$kept" --confirm "$CODE"
is "$(count prod)" 1 "backups of prod"
approved backup-catalog delete "$only"
is "$(count)" 0 "backups of dev"

# Of several environments, the protected one wants its word and keeps no other waiting; the code of prune is good here.
config 'min_verified = 1' '[retention]' 'keep_last = 1' '[env.dev]' 'database = "app.db"' '[env.prod]' 'database = "app.db"' 'protected = true'
for env in dev prod; do for day in 11 12; do expect 0 at "2020-11-${day}T12:00:00Z" backup-db -e "$env" --no-prune; done; done
expect 4 backup-catalog cleanup --json
is "$(value '[.environments[] | .environment, .removed] | join(" ")')" "dev 1" "what was done"
says "backup-catalog prune -e prod -n"
plan backup-catalog prune -e prod
expect 0 backup-catalog cleanup -e prod --confirm "$CODE" --json
is "$(value '.environments[0].removed > 0')" true "prod is put in order"

expect 0 backup-guard audit --operation delete --event approval --json
is "$(value '[.lines[] | select(.result == "granted")] | length')" 2 "approvals in the audit trail"
nothing_left
