# The words of the scenarios that only PostgreSQL knows.
# shellcheck shell=sh
# shellcheck source=tests/postgres_scenarios/story.sh
. "$STORY"

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
client_env() { env PGHOST="$SERVER_SOCKET" PGPORT=5432 PGUSER=postgres PGDATABASE="$DB" "$@"; }

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

# Ends the sessions that read the database for a dump.
end_dump_sessions() { sql_in postgres "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '$DB' AND application_name LIKE 'pg_dump%' OR datname = '$DB' AND query LIKE 'COPY%'"; }
