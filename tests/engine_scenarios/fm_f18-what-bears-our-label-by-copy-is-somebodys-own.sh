# shellcheck shell=sh source=tests/engine_scenarios/words/mariadb.sh
# engines: mariadb; PostgreSQL's label is a comment, which no dump of a database holds
. "$WORDS"
make_ledger 10
add_oddities
config '[env.dev]' "database = \"$URL\""
expect 0 backup-db
live=$(picture)
expect 0 restore-db latest
# A dump of what was kept aside holds the label, and must make no other database that one.
"$REAL_DUMP" --no-defaults --socket="$SERVER_SOCKET" --user=root --routines --events "$(kept_aside)" >aside.sql
expect 4 restore-db -f aside.sql --to "$(url "${DB}_other")"
holds err 'holdfast_swap'
holds err 'restore-db --undo'
[ "$(picture)" = "$live" ] || wrong "the database that the label names was changed"
expect 0 restore-db --undo
[ "$(picture)" = "$live" ] || wrong "the undo did not bring the old one back"

# Somebody has copied what a killed restore had loaded, and works in it.
make_database "${DB}_rescued"
load "${DB}_rescued" aside.sql
sql_server "REPLACE INTO ${DB}_rescued.holdfast_swap VALUES ('label', '{\"role\":\"restore\",\"target\":\"$DB\"}'); CREATE TABLE ${DB}_rescued.work (a integer)"
expect 0 restore-db latest
has_database "${DB}_rescued" || wrong "somebody's database was dropped"
drop_database "${DB}_rescued"

# What bears the table's name in somebody's database is theirs.
make_database "${DB}_theirs"
sql_server "CREATE TABLE ${DB}_theirs.holdfast_swap (a integer)"
expect 0 backup-db
expect 0 restore-db latest

# A table of that name would be in no backup.
sql "CREATE TABLE Holdfast_Swap (a integer)"
expect 1 backup-db
holds err 'rename it'
sql "RENAME TABLE Holdfast_Swap TO swaps"
expect 0 backup-db

# While a swap is under way, or was killed in its middle, there is no good moment for a backup.
leave_swap_half_done
expect 1 backup-db
holds err 'killed in the middle'
expect 0 restore-db latest
nothing_beside
expect 0 backup-db
