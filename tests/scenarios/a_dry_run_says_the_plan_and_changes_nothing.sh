#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

config '[env.dev]' 'database = "app.db"' '[env.dev.retention]' 'keep_last = 1'
ledger app.db 5
expect 0 backup-db -n
prints 'keep_last 1'
prints "sqlite:$PWD/app.db"
[ ! -e backups ] || wrong "a store was made"
expect 0 backup-db
add_row app.db
before=$(snapshot backups; sha256sum app.db; ls)
expect 0 backup-db -n
expect 0 restore-db latest -n
for step in verify 'safety backup' load compare swap; do prints "$step: "; done
prints 'made 20'
prints '5 rows'
expect 0 restore-db latest -n --to sqlite:new.db
prints 'nothing there yet'
expect 0 restore-db latest -n --no-safety-backup
prints 'NO safety backup'
is "$(snapshot backups; sha256sum app.db; ls)" "$before" "everything"
# The real run executes that plan.
expect 0 restore-db latest -n --json
jq -c .steps "$OUT" >plan
expect 0 restore-db latest --json
jq -c .plan.steps "$OUT" | cmp -s - plan || wrong "the plan that was executed is another"
nothing_left
