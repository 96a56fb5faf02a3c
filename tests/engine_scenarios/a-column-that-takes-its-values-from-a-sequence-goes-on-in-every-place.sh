# shellcheck shell=sh source=tests/engine_scenarios/words/mariadb.sh
# engines: postgres mariadb; SQLite has no sequences
. "$WORDS"
make_ledger 10
sql "CREATE SEQUENCE numbers START WITH 100"
sql "CREATE TABLE slip (id bigint NOT NULL DEFAULT $(next_of numbers), word varchar(40), PRIMARY KEY (id))"
# A second one in the same table, what shows the columns, and characters that not every list can hold.
sql "CREATE SEQUENCE slips"
sql "ALTER TABLE slip ADD COLUMN slip_number bigint DEFAULT $(next_of slips); ALTER TABLE slip ADD COLUMN label varchar(60) DEFAULT concat('😀-', $(next_of slips))"
sql "CREATE VIEW shown AS SELECT id, slip_number, word FROM slip; CREATE VIEW drawn AS SELECT count(*) AS slips, max($(next_of slips)) AS number FROM slip"
add_in() { sql_in "$1" "INSERT INTO slip (word) VALUES ('$2')"; }
# What was added after it got a number above those that were there.
goes_on_in() {
    is "$(sql_in "$1" "SELECT count(*) FROM slip WHERE word = '$2' AND label LIKE '😀-%' AND slip_number IS NOT NULL")" 1
    is "$(sql_in "$1" "SELECT number > 0 FROM drawn" | tr t 1)" 1
    is "$(sql_in "$1" "SELECT count(*) FROM slip WHERE id > (SELECT max(id) FROM slip WHERE word <> '$2') AND word = '$2'")" 1
}
add_in "$DB" first
# Where the sequence stands may be beyond where it stood.
without_counter() { picture | sed "/setval(/Id"; }
before=$(without_counter)
expect 0 backup-db "$URL" --verify restore
id=$(basename "$(newest)")
add_in "$DB" second

# Into a database that is there, and back.
expect 0 restore-db latest
[ "$(without_counter)" = "$before" ] || wrong "it is not what was backed up"
add_in "$DB" third
goes_on_in "$DB" third
is "$(sql "SELECT count(*) FROM slip")" 2
expect 0 restore-db --undo
is "$(sql "SELECT count(*) FROM slip")" 2
add_in "$DB" fourth
goes_on_in "$DB" fourth

# Into another one of the same server: with a sequence of its own.
expect 0 restore-db latest -d "${DB}_other"
drop_database "$DB"
add_in "${DB}_other" fifth
goes_on_in "${DB}_other" fifth

# Where nothing is left of it.
expect 0 restore-db "$id" --to "$URL"
[ "$(without_counter)" = "$before" ] || wrong "it is not what was backed up"
add_in "$DB" sixth
goes_on_in "$DB" sixth

# By hand, into the database whose name it had.
gunzip -c "$STORE/dev/$id/database.sql.gz" >dump.sql
drop_database "$DB"
make_database "$DB"
load "$DB" dump.sql
add_in "$DB" seventh
goes_on_in "$DB" seventh
