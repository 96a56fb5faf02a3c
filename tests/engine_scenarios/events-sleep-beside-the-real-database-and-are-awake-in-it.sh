# shellcheck shell=sh source=tests/engine_scenarios/words/mariadb.sh
# engines: mariadb; PostgreSQL has no events
. "$WORDS"
make_ledger 40000
is "$(sql_server 'SELECT @@global.event_scheduler')" ON
# Events that write every second, one to its own database, one to another by its name.
make_database "${DB}_watch"
sql_in "${DB}_watch" 'CREATE TABLE seen (place varchar(64), number bigint NOT NULL)'
sql 'CREATE TABLE ticks (number bigint AUTO_INCREMENT PRIMARY KEY)'
sql "CREATE EVENT tick ON SCHEDULE EVERY 1 SECOND DO INSERT INTO ticks VALUES (NULL);
    CREATE EVENT far ON SCHEDULE EVERY 1 SECOND DO INSERT INTO ${DB}_watch.seen VALUES (database(), 1)"
config "scratch_server = \"$(server_url)\"" '[env.dev]' "database = \"$URL\""
expect 0 backup-db --verify restore
sql 'ALTER EVENT tick DISABLE; ALTER EVENT far DISABLE; DELETE FROM ticks'
sleep 1.2
sql_in "${DB}_watch" 'DELETE FROM seen'
# Neither in a clone nor beside: nothing ticks while either is there.
make_program tests 'sleep 2.5; sql_by_variables "SELECT count(*) FROM ticks" >ticked'
ticks=$(rows_of ticks)
expect 0 safe-db-test -e dev -- ./tests
is "$(cat ticked)" "$ticks" "ticks in a clone"
expect 0 restore-db -n latest
expect 0 backup-guard latest --verify restore
is "$(sql_in "${DB}_watch" 'SELECT count(*) FROM seen')" 0 "an event has run beside the real database"
# In the real database it is awake again, as it was backed up; what is kept aside sleeps.
expect 0 restore-db latest
is "$(sql_server "SELECT DISTINCT event_schema, status FROM information_schema.events WHERE event_schema LIKE '$DB%'")" "$DB|ENABLED"
sleep 2.2
is "$(sql_in "${DB}_watch" 'SELECT DISTINCT place FROM seen')" "$DB"
expect 0 restore-db --undo
is "$(sql_server "SELECT DISTINCT event_schema, status FROM information_schema.events WHERE event_schema LIKE '$DB%'")" "$DB|DISABLED"
