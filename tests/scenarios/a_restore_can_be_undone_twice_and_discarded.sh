#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

config '[env.dev]' 'database = "app.db"'
ledger app.db 20
expect 3 restore-db -e dev --undo
expect 0 backup-db -e dev
sqlite3 app.db 'DELETE FROM entry WHERE id > 10'
expect 0 restore-db -v -e dev latest
says 'restore-db -e dev --undo'
has_rows app.db 20
is "$(count)" 2 "backups: one is the safety backup"
lacks "$ERR" 'not touched'
id=$(backups | head -n 1)
# Each says what is live then.
expect 0 restore-db -e dev --undo -n
prints 'live     then: the state from before '
prints ", when $id was restored"
has_rows app.db 20
expect 0 restore-db -v -e dev --undo
says 'live now: the state from before '
says ", when $id was restored; the other is kept as $PWD/app.db.before-"
has_rows app.db 10
expect 0 restore-db -e dev --undo -n
grep -qx "undo     the undo at [^ ]* of the restore of $id" "$OUT" || wrong 'what would be undone'
expect 0 restore-db -v -e dev --undo
says ", when the restore of $id was undone; the other is kept as"
has_rows app.db 20
expect 0 restore-db -e dev --undo -n
grep -qx "undo     the undo at [^ ]* that brought back the restore of $id" "$OUT" || wrong 'what would be undone'
lacks "$OUT" 'undo of undo'
expect 0 restore-db -v -e dev --undo
says ", when $id was restored; the other is kept as"
has_rows app.db 10
expect 0 restore-db -e dev --discard -n
is "$(find . -maxdepth 1 -name 'app.db.before-*' | wc -l | tr -d ' ')" 1 "databases kept aside"
# What an undo took away is in no backup, so it goes only when that is confirmed.
prints 'risk     medium'
expect 4 restore-db -e dev --discard
says 'no verified backup holds what would be gone'
is "$(find . -maxdepth 1 -name 'app.db.before-*' | wc -l | tr -d ' ')" 1 "databases kept aside"
approved restore-db -e dev --discard
is "$(find . -maxdepth 1 -name 'app.db.before-*' | wc -l | tr -d ' ')" 0 "databases kept aside"
expect 3 restore-db -e dev --undo
expect 3 restore-db -e dev --discard
has_rows app.db 10
# Into a place where there was nothing, undo takes the new one away again.
expect 0 restore-db -e dev latest --to sqlite:new.db
has_rows new.db 20
# By its name the last restore into it is found; there is nothing of old to bring back, so it goes.
expect 2 restore-db --undo -e prod
expect 0 restore-db -v --to sqlite:new.db latest
says "restore-db --to sqlite:$PWD/new.db --undo"
sqlite3 new.db 'DELETE FROM entry'
expect 0 restore-db --undo --to sqlite:new.db
has_rows new.db 20
approved restore-db --discard --to sqlite:new.db
has_rows app.db 10
# An empty database that was replaced is nothing to lose.
sqlite3 void.db 'CREATE TABLE t (a); DROP TABLE t'
expect 0 restore-db -e dev latest --to sqlite:void.db
has_rows void.db 20
expect 0 restore-db --discard --to sqlite:void.db
# What the last restore replaced is in its safety backup, and a newer backup makes up for what an older state held.
expect 0 restore-db -e dev latest
expect 0 restore-db -e dev --discard
expect 0 restore-db -e dev latest --no-safety-backup
expect 4 restore-db -e dev --discard
expect 0 backup-db -e dev
expect 0 restore-db -e dev --discard
has_rows app.db 20
nothing_left
