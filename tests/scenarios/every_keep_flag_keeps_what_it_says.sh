#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

ledger app.db 50
# Three backups a day for five days, once.
for day in 01 02 03 04 05; do for hour in 01 09 17; do
    at "2020-10-${day}T${hour}:00:00Z" backup-db app.db >/dev/null
done; done
cp -a backups all
# kept FLAGS…: what is left, the new one not counted.
kept() {
    rm -rf backups "$HOLDFAST_STATE_DIR/known" "$HOLDFAST_STATE_DIR/audit-heads"
    cp -a all backups
    expect 0 at 2020-11-01T12:00:00Z backup-db app.db "$@"
    new=$(made)
    KEPT=$(backups | grep -vx -e "$new" | cut -c1-11 | tr '\n' ' ')
    all_verify -q --max-age 800000h
}
config 'min_verified = 1' '[env.dev]' 'database = "app.db"'
kept --keep-last 4
is "$KEPT" "20201005T01 20201005T09 20201005T17 " "--keep-last 4"
kept --keep-daily 3
is "$KEPT" "20201004T17 20201005T17 " "--keep-daily 3"
kept --keep-hourly 3
is "$KEPT" "20201005T09 20201005T17 " "--keep-hourly 3"
kept --keep-weekly 3
is "$KEPT" "20201004T17 20201005T17 " "--keep-weekly 3"
kept --keep-monthly 2
is "$KEPT" "20201005T17 " "--keep-monthly 2"
kept --keep-yearly 2
is "$KEPT" "" "--keep-yearly 2"
kept --keep-days 27
is "$KEPT" "20201005T17 " "--keep-days 27"
kept --keep-last 1 --keep-min 3
is "$KEPT" "20201005T09 20201005T17 " "--keep-min 3"
kept --keep-days 0
is "$(count)" 16 "backups with --keep-days 0"
kept --no-prune
is "$(count)" 16 "backups with --no-prune"
nothing_left
