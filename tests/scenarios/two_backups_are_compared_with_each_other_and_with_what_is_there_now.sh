#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

ledger app.db 50
expect 0 backup-db app.db
one=$(made)
sqlite3 app.db "UPDATE entry SET cents = cents + 1 WHERE id = 7"
expect 0 backup-db app.db
two=$(made)
sqlite3 app.db "DELETE FROM entry WHERE id > 48; ALTER TABLE entry ADD COLUMN vat INTEGER; CREATE TABLE extra (a); INSERT INTO extra VALUES (1)"
expect 0 backup-db app.db
three=$(made)
before=$(snapshot backups; hash_of app.db)

# One row of fifty is another: counting does not see it, and says so.
expect 0 backup-catalog diff "$one" "$two"
prints "nothing changed"
says "rows were counted and not compared"
expect 0 backup-catalog diff "$one" "$two" --content --json
is "$(value '.is_by_content') $(value '.changes.tables | map(.table + " " + .change) | join(",")')" "true entry content" "the changed row"

expect 0 backup-catalog diff "$two" "$three" --json
is "$(value '.changes.tables | map(.table + " " + .change) | join(",")')" "entry rows,extra added" "the tables"
is "$(value '[.changes.schema[].object] | join(",")')" "table entry,table extra" "the definitions"
is "$(value '.before.name') $(value '.after.name')" "$two $three" "the sides"
expect 0 backup-catalog diff "$two" "$three"
prints "table entry has 48 rows, 2 fewer"
prints "table extra is new, with 1 rows"
prints "+CREATE TABLE extra"
expect 0 backup-catalog diff "$two" "$three" --quick --json
is "$(value '.changes.schema')" '[]' "nothing is restored"
says_nothing
is "$(value '[.notes[] | select(startswith("definitions differ"))] | length')" 1 "that the definitions differ is said"

# Without a configuration it is the database that the backup was made of.
expect 0 backup-catalog diff latest --with-current
prints "nothing changed"
config 'env.dev.database = "app.db"'
expect 0 backup-catalog diff latest --with-current
prints "nothing changed"
expect 0 backup-catalog diff "$two" --with-current --json
is "$(value '.changes.tables | length')" 2 "against what is there now"
is "$(snapshot backups | grep -v -e /logs -e audit; hash_of app.db)" "$(echo "$before" | grep -v -e /logs -e audit)" "nothing was changed"
sqlite3 app.db 'DELETE FROM entry WHERE id = 1'
expect 0 backup-catalog diff latest --with-current
prints "table entry has 47 rows, 1 fewer"
mv app.db gone.db
expect 1 backup-catalog diff latest --with-current
expect 2 backup-catalog diff latest
expect 3 backup-catalog diff "$one" 1999
mv gone.db app.db
nothing_left
# Files, by their content; and a backup that has no database beside one that has.
mkdir media
printf 'one' >media/same
printf 'two' >media/changed
printf 'three' >media/gone
expect 0 backup-full -e dev --database app.db media
old=$(made)
printf 'TWO' >media/changed
printf 'four!' >media/fresh
rm media/gone
touch media/same
expect 0 backup-full -e dev --database app.db media --type incremental
new=$(made)
expect 0 backup-catalog diff "$old" "$new"
prints 'files: 1 added (5 bytes), 1 changed (3 bytes), 1 removed (5 bytes), 2 the same'
prints '+ media/fresh  5'
prints '! media/changed  3 -> 3'
prints '- media/gone  5'
expect 0 backup-catalog diff "$old" "$new" --json
is "$(value '[.files.entries[] | .change + " " + .path] | join(", ")')" 'changed media/changed, added media/fresh, removed media/gone' "the files"
printf 'five' >media/later
expect 0 backup-catalog diff "$new" --with-current --json
is "$(value '[.files.entries[] | .change + " " + .path] | join(", ")')" 'added media/later' "the files now"
config 'env.dev.protected = false'
expect 0 backup-full -e dev media
alone=$(made)
expect 0 backup-catalog diff "$new" "$alone"
says "$alone holds no database, so none was compared"
prints '+ media/later  4'
expect 0 backup-catalog diff "$alone" --with-current
prints 'no file differs, 5 are the same'
nothing_left
