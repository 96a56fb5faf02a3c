# shellcheck shell=sh source=tests/engine_scenarios/words/mariadb.sh
# engines: mariadb; every table of PostgreSQL is in a snapshot
. "$WORDS"
make_ledger 20000
for kind in MyISAM Aria MEMORY CSV; do
    sql "CREATE TABLE log_$kind (id integer NOT NULL, note varchar(20) NOT NULL) ENGINE=$kind; INSERT INTO log_$kind SELECT seq, 'noted' FROM seq_1_to_50"
done
config '[env.dev]' "database = \"$URL\""
consistency() { jq -r .database.consistency "$(newest)/manifest.json"; }
expect 0 backup-db
for kind in MyISAM Aria MEMORY CSV; do holds err "log_$kind ($kind)"; done
lacks err 'entry (InnoDB)'
holds err lock_tables
is "$(consistency)" mixed
holds "$(newest)/manifest.json" 'log_MyISAM (MyISAM)'
before=$(picture)
sql "DELETE FROM log_MyISAM; DELETE FROM log_MEMORY"
expect 0 restore-db latest
[ "$(picture)" = "$before" ] || wrong "the rows of these tables did not come back"
expect 0 restore-db --undo
is "$(rows_of log_MyISAM) $(rows_of log_CSV)" '0 50'

# With the tables locked, nothing is written while the dump reads, and nothing needs a warning.
fake_dump_that_pauses
config "$FAKES_LINE" 'lock_tables = true' '[env.dev]' "database = \"$URL\""
backup-db >out 2>err </dev/null &
run=$!
until_true 20 test -e halfway
sql 'DELETE FROM log_Aria WHERE id = 1' &
writing=$!
until_true 10 waits_for_lock
: >go
status=0
wait "$run" || status=$?
is "$status" 0
wait "$writing"
lacks err 'log_Aria'
is "$(consistency)" locked
is "$(rows_of log_Aria)" 49
is "$(jq .fingerprint.tables.log_Aria.rows "$(newest)/manifest.json")" 50
is "$(backups)" 3

# InnoDB alone is one snapshot.
sql 'DROP TABLE log_MyISAM, log_Aria, log_MEMORY, log_CSV'
unfake "$DUMP_PROGRAM"
config '[env.dev]' "database = \"$URL\""
expect 0 backup-db
is "$(consistency)" snapshot
