#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

config '[env.dev]' 'database = "app.db"' \
    '[env.loose]' 'database = "app.db"' 'max_row_loss = "2"' 'allow_loss = ["session", "log=5"]'
ledger app.db 1000
sqlite3 app.db 'CREATE TABLE session (id INTEGER PRIMARY KEY AUTOINCREMENT, who TEXT);
    CREATE TABLE log (line TEXT); CREATE TABLE spare (x);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20) INSERT INTO session (who) SELECT i FROM n;
    INSERT INTO log SELECT who FROM session'
cp app.db before.db
before=$(content app.db)
# rejected WHY SQL FLAGS…: the command succeeds, its result does not.
rejected() {
    why=$1
    sql=$2
    shift 2
    expect 123 safe-migrate "$@" -- sqlite3 app.db "$sql"
    says "the command succeeded, but its result is rejected: $why"
    says '; rolled back to 20'
    is "$(content app.db)" "$before" "what the database holds after: $sql"
    nothing_stands
}
# accepted WHAT SQL FLAGS…: it stays.
accepted() {
    what=$1
    sql=$2
    shift 2
    expect 0 safe-migrate "$@" -- sqlite3 app.db "$sql"
    [ -z "$what" ] || says "$what"
    [ "$(content app.db)" != "$before" ] || wrong "it did not stay: $sql"
    cp before.db app.db
}
# One of a hundred thousand.
ledger big.db 100000
expect 123 safe-migrate big.db -e dev -- sqlite3 big.db 'DELETE FROM entry WHERE id = 77777'
says 'the command succeeded, but its result is rejected: table entry has lost 1 rows; rolled back to 20'
has_rows big.db 100000
is "$(sqlite3 big.db 'SELECT cents FROM entry WHERE id = 77777')" 544439 "the row"
is "$(sqlite3 "$(aside)" 'SELECT count(*) FROM entry')" 99999 "rows of the failed state"
rejected 'table log is gone, with its 20 rows' 'DROP TABLE log' -e dev
rejected 'table entry has lost 1 rows; table log has lost 3 rows' 'DELETE FROM entry WHERE id = 1; DELETE FROM log WHERE rowid < 4' -e dev
# Lost and found again elsewhere is lost here.
rejected 'table log has lost 20 rows' 'INSERT INTO spare SELECT line FROM log; DELETE FROM log' -e dev
# Nothing is lost.
accepted '' 'ALTER TABLE log RENAME TO journal' -e dev
accepted '' 'UPDATE entry SET cents = -cents' -e dev
accepted '' "DELETE FROM log; INSERT INTO log SELECT 'x' || id FROM session" -e dev --json
is "$(value '.outcome, (.changes.tables[] | .table, .change, .rows), (.changes.schema | length)' | tr '\n' ' ')" "done log content 20 0 " "what is said of replaced rows"
accepted '' 'DROP TABLE spare' -e dev
accepted '' 'CREATE TABLE log2 (line TEXT, at TEXT); INSERT INTO log2 SELECT line, 1 FROM log; DROP TABLE log; ALTER TABLE log2 RENAME TO log' -e dev
# So many may go, of all tables together; or so much of each.
rejected 'table log has lost 6 rows; at most 5 are allowed over all tables' 'DELETE FROM log WHERE rowid < 7' -e dev --max-row-loss 5
accepted '' 'DELETE FROM log WHERE rowid < 6' -e dev --max-row-loss 5
rejected 'table entry has lost 3 rows' 'DELETE FROM log WHERE rowid < 4; DELETE FROM entry WHERE id < 4' -e dev --max-row-loss 5
rejected 'table log has lost 3 rows (15.00 %); at most 10 % are allowed' 'DELETE FROM log WHERE rowid < 4; DELETE FROM entry WHERE id < 4' \
    -e dev --max-row-loss 10%
accepted '' 'DELETE FROM log WHERE rowid < 3; DELETE FROM entry WHERE id <= 100' -e dev --max-row-loss 10%
# The name of a table that is not there is mostly misspelt.
rejected 'table session has lost 1 rows' 'DELETE FROM session WHERE id = 1' -e dev --allow-loss sesion
says 'warning: there is no table sesion, which may lose rows'
says 'hint: where rows may go, say so: --allow-loss session'
# One table by name, with a number or without.
accepted '' 'DELETE FROM session' -e dev --allow-loss session
accepted '' 'DROP TABLE session' -e dev --allow-loss session
rejected 'table log has lost 1 rows' 'DELETE FROM session; DELETE FROM log WHERE rowid = 1' -e dev --allow-loss session
rejected 'table log has lost 3 rows; at most 2 are allowed' 'DELETE FROM log WHERE rowid < 4' -e dev --allow-loss log=2
accepted '' 'DELETE FROM log WHERE rowid < 3; DELETE FROM session' -e dev --allow-loss log=2 --allow-loss session=20
# The same by the configuration; what the command line says comes first, tables add up.
accepted '' 'DELETE FROM session; DELETE FROM log WHERE rowid < 6; DELETE FROM entry WHERE id < 3' -e loose
rejected 'table entry has lost 3 rows' 'DELETE FROM entry WHERE id < 4' -e loose
rejected 'table entry has lost 2 rows' 'DELETE FROM entry WHERE id < 3; DELETE FROM session' -e loose --max-row-loss 1
rejected 'table log has lost 2 rows; at most 1 are allowed' 'DELETE FROM log WHERE rowid < 3' -e loose --allow-loss log=1
# Damage is no migration either, though every row can still be counted.
expect 123 safe-migrate -e dev -- sqlite3 app.db 'PRAGMA writable_schema = ON; CREATE INDEX i ON log (line);
    UPDATE sqlite_schema SET rootpage = 2 WHERE name = "i"'
says 'rolled back to'
is "$(content app.db)" "$before" "what the database holds"
# Kept where that is asked for; and the way back is told.
expect 123 safe-migrate -e dev --on-failure keep -- sqlite3 app.db 'DELETE FROM entry WHERE id = 1'
says 'the database stays as it is'
is "$(rows app.db)" 999 "rows"
nothing_stands
expect 0 restore-db -e dev "$(sed -n 's/^hint: restore-db -e dev \(.*\) brings back.*/\1/p' "$ERR")"
is "$(content app.db)" "$before" "what the database holds"
nothing_left
