#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

config '[env.dev]' 'database = "app.db"'
ledger app.db 50
for day in 01 02 03 04 05 06 07 08; do expect 0 at "2020-11-${day}T12:00:00Z" backup-db -e dev; done
is "$(count)" 8 "backups without a policy: all are kept"
oldest=$(backups | head -n 1)
echo mine >"backups/dev/$oldest/notes.txt"
mkdir backups/dev/mine backups/mine "backups/dev/20201101T000000Z-dev-db-0000"
echo mine >backups/dev/dump.sql.gz
echo mine >backups/dev/mine/20200101T120000Z-dev-db-aaaa
# A store of somebody else's backups, copied in by hand: not written by this store.
mkdir elsewhere
(cd elsewhere && cp ../app.db . && expect 0 at 2020-10-01T12:00:00Z backup-db app.db -e dev --store backups)
foreign=$(backups dev elsewhere/backups)
cp -a "elsewhere/backups/dev/$foreign" backups/dev
expect 0 at 2020-11-20T12:00:00Z backup-db -v -e dev --keep-last 1
# One was asked for, three verified ones are the floor.
says 'no rule keeps it'
kept=$(backups)
for one in "$oldest" "$foreign" mine 20201101T000000Z-dev-db-0000; do echo "$kept" | grep -qx -e "$one" || wrong "$one is gone"; done
is "$(echo "$kept" | grep -c .)" 7 "folders: three, and four that are not ours"
for file in "backups/dev/$oldest/notes.txt" backups/dev/dump.sql.gz backups/dev/mine/20200101T120000Z-dev-db-aaaa; do
    is "$(cat "$file")" mine "$file"
done
[ -d backups/mine ] || wrong "backups/mine is gone"
nothing_left
# Zero and nothing are slips, and never "delete all".
for slip in '--keep-last 0' '--keep-min 3' '--keep-daily 0'; do
    before=$(backups)
    # shellcheck disable=SC2086 # two words
    expect 2 backup-db -e dev $slip
    is "$(backups)" "$before" "the backups after $slip"
done
expect 2 backup-db -e dev --no-prune --keep-last 3
