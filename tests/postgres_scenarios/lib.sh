# The words of the scenarios that only PostgreSQL knows.
# shellcheck shell=sh
# shellcheck disable=SC2016,SC2034,SC2086 # programs are written here; the scenarios use what stands here; some of it is a list of words
# shellcheck disable=SC2153 # STORY is given
# shellcheck source=tests/postgres_scenarios/story.sh
. "$STORY"

ENGINE=postgres
export ENGINE_PROGRAMS="pg_dump pg_dumpall pg_restore psql postgres"
DUMP_PROGRAM=pg_dump
REAL_DUMP=$SERVER_PROGRAMS/pg_dump

# url [DATABASE [USER]]
url() { echo "postgres://${2:-postgres}@/${1:-$DB}?host=$SERVER_SOCKET&port=5432"; }
URL=$(url)

# make_user NAME [PASSWORD]: an administrator; with a password, one who has to give it.
make_user() {
    if [ -n "${2:-}" ]; then sql_in postgres "CREATE ROLE $1 LOGIN SUPERUSER IN ROLE scram_only PASSWORD '$2'"
    else sql_in postgres "CREATE ROLE $1 LOGIN SUPERUSER"; fi
}
# client_env [NAME=VALUE…] COMMAND…: with the server and this scenario's database in the environment.
client_env() { env $CLIENT_SETTINGS "$@"; }
# The same as words for `env`, where a process is started in the background and has to be signalled.
CLIENT_SETTINGS="PGHOST=$SERVER_SOCKET PGPORT=5432 PGUSER=postgres PGDATABASE=$DB"

client() { env -u HOLDFAST_STATE_DIR PGHOST="$SERVER_SOCKET" PGPORT=5432 PGUSER=postgres "$@"; }
sql_in() { client "$SERVER_PROGRAMS/psql" -XqAt -v ON_ERROR_STOP=1 -d "$1" -c "$2"; }
sql() { sql_in "$DB" "$1"; }

make_database() { sql_in postgres "CREATE DATABASE \"$1\""; }
drop_database() { sql_in postgres "DROP DATABASE \"$1\" WITH (FORCE)"; }
has_database() { [ "$(sql_in postgres "SELECT count(*) FROM pg_database WHERE datname = '$1'")" = 1 ]; }

# make_ledger [ENTRIES [DATABASE]]: accounts and entries, some 100 bytes an entry.
make_ledger() {
    make_database "${2:-$DB}"
    sql_in "${2:-$DB}" "
        CREATE TABLE account (id integer PRIMARY KEY, name text NOT NULL, cents bigint NOT NULL);
        CREATE TABLE entry (id integer PRIMARY KEY, account integer REFERENCES account, cents bigint, note text);
        CREATE TABLE mark (word text);
        INSERT INTO account SELECT g, 'account ' || g, 1000 FROM generate_series(1, 100) g;
        INSERT INTO entry SELECT g, 1 + g % 100, g, repeat(md5(g::text), 2) FROM generate_series(1, ${1:-1000}) g;
        INSERT INTO mark VALUES ('first');"
}

rows_of() { sql "SELECT count(*) FROM $1"; }
rows_in() { sql_in "$1" "SELECT count(*) FROM $2"; }
drop_table() { sql "DROP TABLE $1"; }
set_mark() { sql "UPDATE mark SET word = '$1'"; }
mark() { sql "SELECT word FROM mark"; }
# The whole database as text, to compare before and after.
picture() { client "$REAL_DUMP" --restrict-key=k "${1:-$DB}" 2>/dev/null || client "$REAL_DUMP" "${1:-$DB}" | grep -v restrict; }

# load DATABASE FILE: plain SQL, by the engine's own client.
load() { client "$SERVER_PROGRAMS/psql" -Xq -v ON_ERROR_STOP=1 -d "$1" -f "$2" >/dev/null; }

# Databases that a restore is loading or has left; and those that one has kept aside.
loading() { sql_in postgres "SELECT datname FROM pg_database WHERE datname LIKE '${DB}\\_\\_restore%'"; }
is_loading() { [ -n "$(loading)" ]; }
kept_aside() { sql_in postgres "SELECT datname FROM pg_database WHERE datname LIKE '${DB}\\_\\_before%'"; }
nothing_beside() {
    found=$(loading)
    [ -z "$found" ] || wrong "databases were left: $found"
}

# fake PROGRAM: a program made of the script on stdin, found first by a configuration with $FAKES_LINE. In it,
# real ARGS… calls the real one.
FAKES_LINE="pg_bin = [\"$PWD/fakes\", \"$SERVER_PROGRAMS\"]"
fake() {
    {
        echo '#!/bin/sh'
        echo "[ \"\$1\" != --version ] || exec '$SERVER_PROGRAMS/$1' --version"
        echo "HERE='$PWD'"
        echo "real() { '$SERVER_PROGRAMS/$1' \"\$@\"; }"
        cat
    } >"fakes/$1"
    chmod 755 "fakes/$1"
    [ -e fakes/psql ] || ln -s "$SERVER_PROGRAMS/psql" fakes/psql
}
unfake() { rm -f "fakes/$1"; }

# A dump program that, halfway through, makes `halfway` appear and goes on when `go` is there.
fake_dump_that_pauses() {
    rm -f halfway go
    fake "$DUMP_PROGRAM" <<'END'
pipe=$HERE/pipe.$$
mkfifo "$pipe"
{ head -c 20000; : >"$HERE/halfway"; until [ -e "$HERE/go" ]; do sleep 0.02; done; cat; } <"$pipe" &
status=0
real "$@" >"$pipe" || status=$?
wait
rm -f "$pipe"
exit $status
END
}

# make_old_client FOLDER: a dump program that says it is far older than the server, beside a client that works.
OLD_VERSION=9.6.3
make_old_client() {
    mkdir "$1"
    cp -L "$SERVER_PROGRAMS/psql" "$1/"
    printf '#!/bin/sh\necho "%s (PostgreSQL) %s"\n' "$DUMP_PROGRAM" "$OLD_VERSION" >"$1/$DUMP_PROGRAM"
    chmod 755 "$1/$DUMP_PROGRAM"
}

# Ends the sessions that read the database for a dump.
end_dump_sessions() { sql_in postgres "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '$DB' AND application_name LIKE 'pg_dump%' OR datname = '$DB' AND query LIKE 'COPY%'"; }

# What a role may not read, and what is hidden from it. make_reader NAME: may read account only.
make_reader() { sql "CREATE ROLE $1 LOGIN; GRANT SELECT ON account TO $1"; }
let_read_all() { sql "GRANT SELECT ON ALL TABLES IN SCHEMA public TO $1"; }
hide_rows() { sql "ALTER TABLE entry ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON entry USING (id < 10)"; }

empty_table() { sql "TRUNCATE $1"; }
add_column() { sql "ALTER TABLE $1 ADD COLUMN $2 integer"; }

# hold_table TABLE: locks it against readers in the background, until `release` is there.
hold_table() {
    { echo "BEGIN; LOCK TABLE $1;"; until [ -e release ]; do sleep 0.05; done; } | client "$SERVER_PROGRAMS/psql" -Xq -d "$DB" &
    until_true 10 is_held "$1"
}
is_held() { [ "$(sql "SELECT count(*) FROM pg_locks WHERE relation = '$1'::regclass AND mode = 'AccessExclusiveLock' AND granted")" = 1 ]; }
waits_for_lock() { [ "$(sql "SELECT count(*) > 0 FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE NOT granted AND datname = '$DB'")" = t ]; }

# before_snapshot SQL: the client program runs it once, between the locks and the snapshot.
before_snapshot() {
    rm -f fakes/psql
    : >once
    fake psql <<END
case " \$* " in *" -c "*|*" -f "*) exec '$SERVER_PROGRAMS/psql' "\$@" ;; esac
while IFS= read -r line; do
    case \$line in *pg_export_snapshot*) if rm "\$HERE/once" 2>/dev/null; then real -Xq -c "$1"; fi ;; esac
    printf '%s\n' "\$line"
done | real "\$@"
END
}

# connected SECONDS: a client that keeps coming back until `stop` is there, and counts how often it got in.
come_and_go() {
    while [ ! -e stop ]; do
        sql 'SELECT count(*) FROM account' >/dev/null 2>&1 && echo in || echo out
    done >>"visits.$1"
}
# sit_in_transaction: a client that stays, with a transaction open.
sit_in_transaction() {
    { echo "BEGIN; UPDATE account SET cents = cents WHERE id = 1;"; until [ -e stop ]; do sleep 0.05; done; } | client "$SERVER_PROGRAMS/psql" -Xq -d "$DB" >/dev/null 2>&1 &
    until_true 10 somebody_sits
}
somebody_sits() { [ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE datname = '$DB' AND state = 'idle in transaction'")" = 1 ]; }

# transfer NUMBER: moves cents between accounts until `stop` is there.
transfer() {
    while [ ! -e stop ]; do
        echo "BEGIN; UPDATE account SET cents = cents - 7 WHERE id = (SELECT 1 + (random() * 49)::int); UPDATE account SET cents = cents + 7 WHERE id = (SELECT 51 + (random() * 49)::int); COMMIT;"
    done | client "$SERVER_PROGRAMS/psql" -Xq -d "$DB" >/dev/null
}
total_in() { sql_in "$1" "SELECT sum(cents) FROM account"; }
spread_in() { sql_in "$1" "SELECT sum(cents) FROM account WHERE id <= 50"; }

# close_database / the state a kill in the middle of a swap leaves.
leave_swap_half_done() {
    sql_in postgres "COMMENT ON DATABASE $DB IS 'holdfast:{\"role\":\"swapping\",\"target\":\"$DB\"}'"
    sql_in postgres "ALTER DATABASE $DB ALLOW_CONNECTIONS false"
    sql_in postgres "CREATE DATABASE ${DB}__restore_dead"
    sql_in postgres "COMMENT ON DATABASE ${DB}__restore_dead IS 'holdfast:{\"role\":\"restore\",\"target\":\"$DB\"}'"
}

# hold_swap_up: something stands in the way of a swap that cannot be ended for its owner.
hold_swap_up() { sql "BEGIN; INSERT INTO account VALUES (-1, '', 0); PREPARE TRANSACTION 'stays in $DB'"; }
let_swap_go() { sql "ROLLBACK PREPARED 'stays in $DB'"; }
is_closed() { [ "$(sql_in postgres "SELECT datallowconn FROM pg_database WHERE datname = '$DB'")" = f ]; }

# A role that owns a table.
make_owner() { sql "CREATE ROLE $1; ALTER TABLE entry OWNER TO $1"; }
make_role() { sql_in postgres "CREATE ROLE $1"; }
drop_role() { sql_in postgres "DROP ROLE $1"; }

# Things that only this engine has and that a text dump must carry.
add_oddities() { sql "SELECT lo_from_bytea(4242, '\\x00ff5c2e0a'::bytea); CREATE MATERIALIZED VIEW totals AS SELECT account, sum(cents) FROM entry GROUP BY 1; CREATE SEQUENCE counter START 42; SELECT nextval('counter')" >/dev/null; }
oddities() { sql "SELECT lo_get(4242); SELECT count(*) FROM totals; SELECT last_value FROM counter"; }

# A dump in the engine's own archive format.
archive() { client "$REAL_DUMP" -Fc "$DB"; }

# make_migration NAME [variables|url|argument|real]: ./NAME, a program that says the statements on stdin one by one, each by
# itself, and fails at the first that fails. It finds its database by the engine's own variables, by DATABASE_URL, by its
# argument, or heeds nothing and goes to the real one.
make_migration() {
    cat >"$1.sql"
    case ${2:-variables} in
        variables) where='' ;;
        url) where='"$DATABASE_URL"' ;;
        argument) where='"$1"' ;;
        real) where="'$URL'" ;;
    esac
    printf '#!/bin/sh\nexec %s -Xq -v ON_ERROR_STOP=1 -f %s %s\n' "$SERVER_PROGRAMS/psql" "'$PWD/$1.sql'" "$where" >"$1"
    chmod 755 "$1"
}
# The status with which it fails at a statement.
FAILED_STATEMENT=3
# Rows of a table in a state that was kept aside, which takes no connections.
failed_rows() {
    sql_in postgres "ALTER DATABASE \"$1\" ALLOW_CONNECTIONS true"
    rows_in "$1" "$2"
}
# sleep_for SECONDS: a statement that takes that long.
sleep_for() { echo "SELECT pg_sleep($1);"; }
LOCK_TIMED_OUT='due to lock timeout'
STATEMENT_TIMED_OUT='due to statement timeout'

# make_program NAME SHELL: ./NAME, a program in which these words are known.
make_program() {
    printf '#!/bin/sh\nSTORY=%s WORDS=%s\n. "$WORDS"\n%s\n' "'$STORY'" "'$WORDS'" "$2" >"$1"
    chmod 755 "$1"
}
rename_database() { sql_in postgres "ALTER DATABASE \"$1\" RENAME TO \"$2\""; }
# add_counter TABLE: its id is counted by the database from here on.
add_counter() { sql "ALTER TABLE $1 ALTER id ADD GENERATED BY DEFAULT AS IDENTITY (START WITH 5000000)"; }

# own_server: from here on this scenario has a server of its own, which it may stop.
own_server() {
    mkdir -p own
    if [ "$(id -u)" = 0 ]; then chown postgres own; fi
    as_server_user "$SERVER_PROGRAMS/initdb" -A trust -U postgres -E UTF8 --locale=C.UTF-8 --no-sync -D "$PWD/own/data" >/dev/null
    SERVER_SOCKET=$PWD/own
    export SERVER_SOCKET
    URL=$(url)
    CLIENT_SETTINGS="PGHOST=$SERVER_SOCKET PGPORT=5432 PGUSER=postgres PGDATABASE=$DB"
    trap stop_own_server EXIT
    start_own_server
}
start_own_server() { as_server_user "$SERVER_PROGRAMS/pg_ctl" -D "$SERVER_SOCKET/data" -o "-k '$SERVER_SOCKET' -p 5432 -c listen_addresses= -c fsync=off" -l "$SERVER_SOCKET/log" -w start >/dev/null; }
stop_own_server() { as_server_user "$SERVER_PROGRAMS/pg_ctl" -D "$SERVER_SOCKET/data" -m immediate stop >/dev/null; }
# A server refuses to run as root.
as_server_user() { if [ "$(id -u)" = 0 ]; then setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; else "$@"; fi; }

# What the message names that stands in the way of a swap.
SWAP_HINT="ROLLBACK PREPARED 'stays in $DB'"

# What a program does that heeds its surroundings: by the engine's own variables, by DATABASE_URL.
sql_by_variables() { "$SERVER_PROGRAMS/psql" -XqAt -v ON_ERROR_STOP=1 -c "$1"; }
sql_by_url() { "$SERVER_PROGRAMS/psql" -XqAt -v ON_ERROR_STOP=1 -d "${2:-$DATABASE_URL}" -c "$1"; }
# Drops all there is in the database that the variables lead to, and then the whole database of the scenario's name there.
drop_all_by_variables() {
    sql_by_variables 'DROP SCHEMA public CASCADE'
    "$SERVER_PROGRAMS/psql" -Xq -d postgres -c "DROP DATABASE \"$DB\" WITH (FORCE)"
}
# Variables by which a client could still find its way to the real database.
LEADS="PGSERVICE=real PGHOSTADDR=127.0.0.1 PGPASSWORD=s3cret PGPASSFILE=$PWD/pass PGSSLMODE=prefer"
# make_plain_user NAME: one who may connect, and nothing more; and the statement by which it may create databases.
make_plain_user() { sql_in postgres "CREATE ROLE $1 LOGIN"; }
may_create_databases() { echo "ALTER ROLE \"$1\" CREATEDB"; }
# The clones of this scenario's database on a server that the configuration names.
scratches() { sql_in postgres "SELECT datname FROM pg_database WHERE datname LIKE 'holdfast\\_scratch\\_%' AND shobj_description(oid, 'pg_database') LIKE '%\"$DB\"%'"; }
# sit_in DATABASE: somebody connects there and stays, until `stop` is there.
sit_in() {
    { echo "SELECT 1;"; until [ -e stop ]; do sleep 0.05; done; } | client "$SERVER_PROGRAMS/psql" -Xq -d "$1" >/dev/null 2>&1 &
    until_true 10 somebody_is_in "$1"
}
somebody_is_in() { [ "$(sql_in postgres "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = '$1' AND application_name = 'psql'")" = t ]; }
give_tables_to() { sql "ALTER TABLE account OWNER TO \"$1\"; ALTER TABLE entry OWNER TO \"$1\"; ALTER TABLE mark OWNER TO \"$1\""; }
# slowly_delete SECONDS TABLE: one statement, which deletes all rows with an id above 10 when that time is over.
slowly_delete() { echo "WITH pause AS MATERIALIZED (SELECT pg_sleep($1)) DELETE FROM $2 USING pause WHERE id > 10;"; }
# unfinished_index TABLE COLUMN: a statement that fails, and leaves an index that is none.
unfinished_index() { echo "CREATE UNIQUE INDEX CONCURRENTLY unfinished ON $1 ($2);"; }
# change_around ROLE: changes what stands around the database, and nothing in it; around: what that is.
change_around() { echo "sql_in postgres 'ALTER DATABASE \"$DB\" SET work_mem = \"7MB\"; ALTER DATABASE \"$DB\" OWNER TO \"$1\"; COMMENT ON DATABASE \"$DB\" IS \$\$theirs\$\$'"; }
around() { sql_in postgres "SELECT pg_get_userbyid(datdba), shobj_description(oid, 'pg_database'), (SELECT setconfig FROM pg_db_role_setting WHERE setdatabase = oid) FROM pg_database WHERE datname = '$DB'"; }
nobody_is_in() { ! somebody_is_in "$1"; }
# give_database_to ROLE: with all that is in it.
give_database_to() {
    give_tables_to "$1"
    sql_in postgres "ALTER DATABASE \"$DB\" OWNER TO \"$1\""
}
