#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

mkdir one two
cd one
ledger app.db 5
expect 0 backup-db app.db
add_row app.db
expect 0 restore-db latest
before=$(hash_of app.db)
cd ../two
# Here is no store, and the restore was another folder's.
for flag in --undo --discard; do
    expect 2 restore-db "$flag"
    says "restore-db $flag --to sqlite:"
done
ledger other.db 1
expect 3 restore-db --undo --to sqlite:other.db
says "no restore into sqlite:"
says "restore-db --undo --to sqlite:"
is "$(hash_of ../one/app.db)" "$before" "the other folder's database"
ls ../one/app.db.before-* >/dev/null || wrong "what was kept aside is gone"
cd ../one
expect 0 restore-db --undo
has_rows app.db 6
