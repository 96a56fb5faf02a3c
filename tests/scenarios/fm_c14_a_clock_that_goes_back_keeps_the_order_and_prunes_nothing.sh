#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

config 'min_verified = 1' '[env.dev]' 'database = "app.db"' '[env.dev.retention]' 'keep_last = 1'
ledger app.db 5
expect 0 at 2020-11-10T12:00:00Z backup-db -e dev
add_row app.db
# An hour back, as after a wrong summer time; then eleven days, as after an empty battery.
expect 0 at 2020-11-10T11:00:00Z backup-db -e dev
says 'is the clock right?'
second=$(made)
expect 0 at 2020-11-10T13:00:00Z restore-db -e dev latest --to sqlite:look.db
prints "$second"
has_rows look.db 6
run at 2020-10-30T12:00:00Z backup-db -e dev
is "$STATUS" 4 "status with a clock that is eleven days behind"
says 'no pruning'
third=$(made)
[ -d "$(backup)" ] || wrong "the backup is not there"
expect 0 restore-db -e dev latest -n
prints "$third"
[ "$(count)" -ge 2 ] || wrong "something was pruned"
all_verify -q -e dev --max-age 800000h
nothing_left
