#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

config '[env.prod]' 'database = "prod.db"' 'protected = true' '[env.live]' 'database = "live.db"' 'protected = true' 'max_age = "1d"'
ledger prod.db 9
ledger live.db 7
expect 0 backup-db -e prod
old=$(made)
expect 0 backup-db -e live
add_row prod.db

unchanged() {
    is "$(hash_of prod.db)$(hash_of live.db)" "$databases" "the databases"
    is "$(snapshot backups | grep -v /audit/)" "$store" "the store"
    nothing_left
}
databases=$(hash_of prod.db)$(hash_of live.db)
store=$(snapshot backups | grep -v /audit/)

# For something else than it was made for.
plan restore-db -e prod latest
expect 4 restore-db -e live latest --confirm "$CODE"
says '--confirm says prod, but this is about live'
expect 4 restore-db -e live latest --confirm "live:${CODE#prod:}"
says "it was planned for sqlite:$PWD/prod.db, this is about sqlite:$PWD/live.db"
expect 4 restore-db -e prod latest --no-safety-backup --confirm "$CODE"
says 'the state is another: plan was '
expect 4 restore-db -e prod latest --confirm prod:0000-0000
says 'no plan is known here under the code 0000-0000'
unchanged
# The state it was planned on is gone: another file, then no file at all.
cp prod.db other.db
mv prod.db kept.db
cp other.db prod.db
expect 4 restore-db -e prod latest --confirm "$CODE"
says 'the state is another: identity was '
rm prod.db
expect 4 restore-db -e prod latest --confirm "$CODE"
says 'the state is another: found was "a database" when it was planned, and is "nothing"'
mv kept.db prod.db
unchanged

# A newer backup came in between.
expect 0 backup-db -e prod
new=$(made)
store=$(snapshot backups | grep -v /audit/)
expect 4 restore-db -e prod latest --confirm "$CODE"
says "the newest backup is now $new, the plan was for $old"
expect 4 restore-db -e prod "$new" --confirm "$CODE"
unchanged
# Rows that the application writes meanwhile make no other plan; and the backup that was planned can still be named.
add_row prod.db
expect 0 restore-db -e prod "$old" --confirm "$CODE"
has_rows prod.db 9
databases=$(hash_of prod.db)$(hash_of live.db)
store=$(snapshot backups | grep -v /audit/)
expect 4 restore-db -e prod "$old" --confirm "$CODE"
says 'was used already'
expect 4 restore-db -e prod --undo --confirm "$CODE"
unchanged

# Too late, and in time. The backups are older by then than max_age allows, so the risk has risen with the clock.
at 2031-01-01T10:00:00Z plan restore-db -e prod latest
expect 4 at 2031-01-01T11:00:01Z restore-db -e prod latest --confirm "$CODE"
says 'has expired: it was good until 2031-01-01T11:00:00Z'
unchanged
expect 0 at 2031-01-01T10:59:59Z restore-db -e prod latest --confirm "$CODE"
plan restore-db -e live latest
prints '"risk":"high"'
printf '%s\n' '[env.live.approval]' 'valid = "9w"' >>holdfast.toml
plan restore-db -e live latest
now=$(date -u -d '+2 days' +%Y-%m-%dT%H:%M:%SZ)
databases=$(hash_of prod.db)$(hash_of live.db)
store=$(snapshot backups | grep -v /audit/)
expect 4 at "$now" restore-db -e live latest --confirm "$CODE"
says 'the risk is critical now, it was high when it was planned: the newest verified backup of live'
unchanged
expect 0 restore-db -e live latest --confirm "$CODE"
has_rows live.db 7
