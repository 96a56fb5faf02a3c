# The words of the scenarios that only PostgreSQL knows.
# shellcheck shell=sh
# shellcheck disable=SC2016,SC2034,SC2086 # programs are written here; the scenarios use what stands here; some of it is a list of words
# shellcheck disable=SC2153 # STORY is given
# shellcheck source=tests/engine_scenarios/story.sh
. "$STORY"

ENGINE=postgres
# What a manifest calls the database.
DATABASE_CALLED=$DB
# The line with which a dump ends.
LAST_LINE='[Dd]ump complete'
export ENGINE_PROGRAMS="pg_dump pg_dumpall pg_restore psql postgres"
DUMP_PROGRAM=pg_dump
CLIENT=psql
# One of the arguments that it is given.
DUMP_ARGUMENT=--snapshot=
# What stands before a table's name in reports.
SCHEMA=public.
# The scenarios' own role.
ADMIN=postgres
DATABASE_NAME='current_database()'
# as_written NAME: a table, as statements of a dump have it.
as_written() { echo "public.$1"; }
# column_written NAME: one of whole numbers.
column_written() { echo "$1 integer"; }
REAL_DUMP=$SERVER_PROGRAMS/pg_dump

# url [DATABASE [USER]]
url() { echo "postgres://${2:-postgres}@/${1:-$DB}?host=$SERVER_SOCKET&port=5432"; }
server_url() { url postgres "${1:-postgres}"; }
# url_with_password USER PASSWORD [PARAMETER]
url_with_password() { echo "postgres://$1:$2@/$DB?${3:-host}=$SERVER_SOCKET"; }
URL=$(url)

# make_user NAME [PASSWORD]: an administrator; with a password, one who has to give it.
make_user() {
    if [ -n "${2:-}" ]; then sql_server "CREATE ROLE $1 LOGIN SUPERUSER IN ROLE scram_only PASSWORD '$2'"
    else sql_server "CREATE ROLE $1 LOGIN SUPERUSER"; fi
}
# client_env [NAME=VALUE…] COMMAND…: with the server and this scenario's database in the environment.
client_env() { env $CLIENT_SETTINGS "$@"; }
# The same as words for `env`, where a process is started in the background and has to be signalled.
CLIENT_SETTINGS="PGHOST=$SERVER_SOCKET PGPORT=5432 PGUSER=postgres PGDATABASE=$DB"

client() { env -u HOLDFAST_STATE_DIR PGHOST="$SERVER_SOCKET" PGPORT=5432 PGUSER=postgres "$@"; }
sql_in() { client "$SERVER_PROGRAMS/psql" -XqAt -v ON_ERROR_STOP=1 -d "$1" -c "$2"; }
# A statement to the server, whichever databases it has.
sql_server() { sql_in postgres "$1"; }

make_database() { sql_server "CREATE DATABASE \"$1\""; }
drop_database() { sql_server "DROP DATABASE \"$1\" WITH (FORCE)"; }
# What gives the next value of a sequence.
next_of() { echo "nextval('$1')"; }
has_database() { [ "$(sql_server "SELECT count(*) FROM pg_database WHERE datname = '$1'")" = 1 ]; }

ledger_sql() {
    echo "
        CREATE TABLE account (id integer PRIMARY KEY, name text NOT NULL, cents bigint NOT NULL);
        CREATE TABLE entry (id integer PRIMARY KEY, account integer REFERENCES account, cents bigint, note text);
        CREATE TABLE mark (word text);
        INSERT INTO account SELECT g, 'account ' || g, 1000 FROM generate_series(1, 100) g;
        INSERT INTO entry SELECT g, 1 + g % 100, g, repeat(md5(g::text), 2) FROM generate_series(1, $1) g;
        INSERT INTO mark VALUES ('first');"
}

# The whole database as text, to compare before and after.
picture() { client "$REAL_DUMP" --restrict-key=k "${1:-$DB}" 2>/dev/null || client "$REAL_DUMP" "${1:-$DB}" | grep -v restrict; }

# load DATABASE FILE: plain SQL, by the engine's own client.
load() { client "$SERVER_PROGRAMS/psql" -Xq -v ON_ERROR_STOP=1 -d "$1" -f "$2" >/dev/null; }

# Databases that a restore is loading or has left; and those that one has kept aside.
loading() { sql_server "SELECT datname FROM pg_database WHERE datname LIKE '${DB}\\_\\_restore%'"; }
kept_aside() { sql_server "SELECT datname FROM pg_database WHERE datname LIKE '${DB}\\_\\_before%'"; }
FAKES_LINE="pg_bin = [\"$PWD/fakes\", \"$SERVER_PROGRAMS\"]"

# Scripts of dump programs that end well, each with less than the database.
partial_dumps() {
    cat <<'END'
real "$@" --exclude-table=mark
real "$@" --schema-only
real "$@" | sed 's/^first$/fi/; /dump complete/d'
real "$@" | tr -d '\\'
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

# What a person has done who did as RESTORE.txt says: the databases in which the restored and the damaged one are then, and
# the one that is dropped for the next time.
COMMANDS_BY_HAND=6
by_hand() { echo "$1"; }
restored_by_hand() { echo "$DB"; }
damaged_by_hand() { echo "${DB}_before"; }
dropped_by_hand() { damaged_by_hand; }

# Ends the sessions that read the database for a dump.
end_dump_sessions() { sql_server "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '$DB' AND application_name LIKE 'pg_dump%' OR datname = '$DB' AND query LIKE 'COPY%'"; }

# What a role may not read, and what is hidden from it. make_reader NAME: may read account only.
make_reader() { sql "CREATE ROLE $1 LOGIN; GRANT SELECT ON account TO $1"; }
let_read_all() { sql "GRANT SELECT ON ALL TABLES IN SCHEMA public TO $1"; }
# What is told of what make_reader's role may not read.
UNREADABLE='public.entry, public.mark'
hide_rows() { sql "ALTER TABLE entry ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON entry USING (id < 10)"; }


# sql_session DATABASE: says what comes on stdin.
sql_session() { client "$SERVER_PROGRAMS/psql" -Xq -v ON_ERROR_STOP=1 -d "$1"; }
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

# close_database / the state a kill in the middle of a swap leaves.
leave_swap_half_done() {
    sql_server "COMMENT ON DATABASE $DB IS 'holdfast:{\"role\":\"swapping\",\"target\":\"$DB\"}'"
    sql_server "ALTER DATABASE $DB ALLOW_CONNECTIONS false"
    sql_server "CREATE DATABASE ${DB}__restore_dead"
    sql_server "COMMENT ON DATABASE ${DB}__restore_dead IS 'holdfast:{\"role\":\"restore\",\"target\":\"$DB\"}'"
}

# hold_swap_up: something stands in the way of a swap that cannot be ended for its owner.
hold_swap_up() { sql "BEGIN; INSERT INTO account VALUES (-1, '', 0); PREPARE TRANSACTION 'stays in $DB'"; }
let_swap_go() { sql "ROLLBACK PREPARED 'stays in $DB'"; }
swap_is_half_done() { ! sql 'SELECT 1' >/dev/null 2>&1; }
is_closed() { [ "$(sql_server "SELECT datallowconn FROM pg_database WHERE datname = '$DB'")" = f ]; }

# A role that owns a table.
make_owner() { sql "CREATE ROLE $1; ALTER TABLE entry OWNER TO $1"; }
make_role() { sql_server "CREATE ROLE $1"; }
drop_role() { sql_server "DROP ROLE $1"; }

# Things that only this engine has and that a text dump must carry.
add_oddities() { sql "SELECT lo_from_bytea(4242, '\\x00ff5c2e0a'::bytea); CREATE MATERIALIZED VIEW totals AS SELECT account, sum(cents) FROM entry GROUP BY 1; CREATE SEQUENCE counter START 42; SELECT nextval('counter')" >/dev/null; }
oddities() { sql "SELECT lo_get(4242); SELECT count(*) FROM totals; SELECT last_value FROM counter"; }

# A dump in the engine's own archive format.
has_archive() { true; }
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
# The words with which a row is refused whose key is there.
DUPLICATE_KEY=account_pkey
# Rows of a table in a state that was kept aside, which takes no connections.
failed_rows() {
    sql_server "ALTER DATABASE \"$1\" ALLOW_CONNECTIONS true"
    rows_in "$1" "$2"
}
# sleep_for SECONDS: a statement that takes that long.
sleep_for() { echo "SELECT pg_sleep($1);"; }
# How often a restore is killed at a random moment.
KILL_ROUNDS=15
# What is told of who waits, and of the client that sits in a transaction.
WAITS_FOR_LOCK='waits for a lock'
BLOCKS='UPDATE account SET cents = cents'
LOCK_TIMED_OUT='due to lock timeout'
STATEMENT_TIMED_OUT='due to statement timeout'

rename_database() { sql_server "ALTER DATABASE \"$1\" RENAME TO \"$2\""; }
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
# make_leads: variables by which a client could still find its way to the real database, in LEADS; LEAD_NAMES are those that a
# clone's surroundings must not have.
make_leads() {
    printf '[real]\nhost=%s\nport=5432\nuser=postgres\ndbname=%s\n' "$SERVER_SOCKET" "$DB" >services.conf
    LEADS="PGSERVICE=real PGSERVICEFILE=$PWD/services.conf PGHOSTADDR=127.0.0.1 PGPASSWORD=s3cret PGPASSFILE=$PWD/pass PGSSLMODE=prefer"
    LEAD_NAMES='PGSERVICE|PGHOSTADDR|PGPASSWORD|PGPASSFILE|PGSSLMODE'
    DRIVER_URL="postgresql+psycopg2://app:x@/$DB?host=$SERVER_SOCKET"
    LIBRARY_STYLE="host=$SERVER_SOCKET port=5432 dbname=$DB user=postgres"
}
# make_plain_user NAME: one who may connect, and nothing more; and the statement by which it may create databases.
make_plain_user() { sql_server "CREATE ROLE $1 LOGIN"; }
may_create_databases() { echo "ALTER ROLE \"$1\" CREATEDB"; }
# The clones of this scenario's database on a server that the configuration names.
scratches() { sql_server "SELECT datname FROM pg_database WHERE datname LIKE 'holdfast\\_scratch\\_%' AND shobj_description(oid, 'pg_database') LIKE '%\"$DB\"%'"; }
# sit_in DATABASE: somebody connects there and stays, until `stop` is there.
sit_in() {
    { echo "SELECT 1;"; until [ -e stop ]; do sleep 0.05; done; } | client "$SERVER_PROGRAMS/psql" -Xq -d "$1" >/dev/null 2>&1 &
    until_true 10 somebody_is_in "$1"
}
somebody_is_in() { [ "$(sql_server "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = '$1' AND application_name = 'psql'")" = t ]; }
tables_have_owners() { true; }
give_tables_to() { sql "ALTER TABLE account OWNER TO \"$1\"; ALTER TABLE entry OWNER TO \"$1\"; ALTER TABLE mark OWNER TO \"$1\""; }
# slowly_delete SECONDS TABLE: one statement, which deletes all rows with an id above 10 when that time is over.
slowly_delete() { echo "WITH pause AS MATERIALIZED (SELECT pg_sleep($1)) DELETE FROM $2 USING pause WHERE id > 10;"; }
# is_at_work [WORD]: whether the server is at it, asked with sql_server or another word.
is_at_work() { [ "$(${1:-sql_server} "SELECT count(*) > 0 FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'WITH pause%'")" = t ]; }
# unfinished_index TABLE COLUMN: a statement that fails, and leaves an index that is none.
unfinished_index() { echo "CREATE UNIQUE INDEX CONCURRENTLY unfinished ON $1 ($2);"; }
# change_around ROLE: changes what stands around the database, and nothing in it; around: what that is.
change_around() { echo "sql_server 'ALTER DATABASE \"$DB\" SET work_mem = \"7MB\"; ALTER DATABASE \"$DB\" OWNER TO \"$1\"; COMMENT ON DATABASE \"$DB\" IS \$\$theirs\$\$'"; }
around() { sql_server "SELECT pg_get_userbyid(datdba), shobj_description(oid, 'pg_database'), (SELECT setconfig FROM pg_db_role_setting WHERE setdatabase = oid) FROM pg_database WHERE datname = '$DB'"; }
# give_database_to ROLE: with all that is in it.
give_database_to() {
    give_tables_to "$1"
    sql_server "ALTER DATABASE \"$DB\" OWNER TO \"$1\""
}
AROUND_TOLD="the database's comment, the database's owner, the database's settings"
# What stands in the way of a swap, and what a role needs for one.
swap_can_be_held_up() { true; }
may_restore() { may_create_databases "$1"; }
may_no_longer_restore() { sql_server "ALTER ROLE \"$1\" NOCREATEDB"; }
# A database's mark that it is a clone; and a name that clones have, without the mark.
mark_as_scratch() { sql_server "COMMENT ON DATABASE $1 IS 'holdfast:{\"role\":\"scratch\",\"target\":\"$DB\"}'"; }
ONLY_NAMED=holdfast_scratch_0123456789ab
