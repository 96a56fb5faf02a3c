# The words of the scenarios that only SQLite knows: a database is a file, NAME.db in the scenario's folder.
# shellcheck shell=sh
# shellcheck disable=SC2016,SC2034 # programs are written here; the scenarios use what stands here
# shellcheck disable=SC2153 # STORY is given
# shellcheck source=tests/engine_scenarios/story.sh
. "$STORY"

ENGINE=sqlite
export ENGINE_PROGRAMS=sqlite3
CLIENT=sqlite3
# What stands before a table's name in reports.
SCHEMA=
# as_written NAME: a table, as statements of a dump have it.
as_written() { echo "$1"; }
# column_written NAME: one of whole numbers.
column_written() { echo "$1 integer"; }

# file [DATABASE]: where it is; a state that was kept aside is named by its path.
file() { case ${1:-$DB} in */*) echo "$1" ;; *) echo "$PWD/${1:-$DB}.db" ;; esac }
url() { echo "sqlite:$(file "${1:-$DB}")"; }
URL=$(url)
# What a manifest calls it.
DATABASE_CALLED=$DB.db

# client_env [NAME=VALUE…] COMMAND…: with this scenario's database in the environment.
client_env() { env "$CLIENT_SETTINGS" "$@"; }
CLIENT_SETTINGS=SQLITE_PATH=$PWD/$DB.db

sqlite() { env -u HOLDFAST_STATE_DIR sqlite3 -batch -bail -cmd '.timeout 20000' "$@"; }
sql_in() { sqlite "$(file "$1")" "$2"; }

make_database() { sqlite "$(file "$1")" VACUUM; }
drop_database() { rm -f "$(file "$1")" "$(file "$1")-wal" "$(file "$1")-shm" "$(file "$1")-journal"; }
rename_database() { mv "$(file "$1")" "$(file "$2")"; }

ledger_sql() {
    echo "
        CREATE TABLE account (id integer PRIMARY KEY, name text NOT NULL, cents bigint NOT NULL);
        CREATE TABLE entry (id integer PRIMARY KEY, account integer REFERENCES account, cents bigint, note text);
        CREATE TABLE mark (word text);
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) INSERT INTO account SELECT i, 'account ' || i, 1000 FROM n;
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) INSERT INTO entry SELECT i, 1 + i % 100, i, hex(randomblob(32)) FROM n;
        INSERT INTO mark VALUES ('first');"
}

# The whole database as text, to compare before and after.
picture() { sqlite "$(file "${1:-$DB}")" .dump; }
# The line with which a dump ends.
LAST_LINE='^COMMIT;$'

# load DATABASE FILE: what is in a backup, which is the database itself.
load() { cp "$2" "$(file "$1")"; }

# Files that a restore is loading or has left; and those that one has kept aside.
loading() { find "$PWD" -maxdepth 1 -name "$DB.db.restore-*"; }
kept_aside() { find "$PWD" -maxdepth 1 -name "$DB.db.before-*" ! -name '*-wal' ! -name '*-shm' ! -name '*-journal'; }
# One copies the old state before it brings in the new: a kill in between leaves the copy of what is there anyway.
kept_after_kills() { [ -z "$(kept_aside)" ] || echo 1; }
# Rows of a table in a state that was kept aside.
failed_rows() { rows_in "$1" "$2"; }
# How often a restore is killed at a random moment.
KILL_ROUNDS=10

# transfer NUMBER: moves cents between accounts until `stop` is there.
transfer() {
    while [ ! -e stop ]; do
        sql "CREATE TEMP TABLE pair AS SELECT 1 + abs(random()) % 50 AS one, 51 + abs(random()) % 50 AS other; BEGIN IMMEDIATE;
            UPDATE account SET cents = cents - 7 WHERE id = (SELECT one FROM pair); UPDATE account SET cents = cents + 7 WHERE id = (SELECT other FROM pair); COMMIT"
    done
}

# Things that only this engine has and that a text dump must carry.
add_oddities() {
    sql "CREATE TABLE bytes (id integer PRIMARY KEY, content, amount); INSERT INTO bytes VALUES (1, x'00ff5c2e0a27', 9223372036854775807), (2, 0.1, 'text');
        CREATE VIEW totals AS SELECT account, sum(cents) AS cents FROM entry GROUP BY account;
        CREATE TRIGGER stamp BEFORE INSERT ON mark WHEN new.word = 'never' BEGIN SELECT RAISE(ABORT, 'never'); END;
        CREATE INDEX by_note ON entry (note)"
}
oddities() { sql "SELECT hex(content), amount, typeof(content), typeof(amount) FROM bytes; SELECT count(*) FROM totals; SELECT count(*) FROM sqlite_schema"; }
# There is no archive format beside the text.
has_archive() { false; }
archive() { false; }

# make_migration NAME [variables|url|argument|real]: ./NAME, a program that says the statements on stdin one by one, each by
# itself, and fails at the first that fails. It finds its database by the engine's own variables, by DATABASE_URL, by its
# argument, or heeds nothing and goes to the real one.
make_migration() {
    cat >"$1.sql"
    case ${2:-variables} in
        variables) where='"$SQLITE_PATH"' ;;
        url) where='"/${DATABASE_URL#sqlite:///}"' ;;
        argument) where='"/${1#sqlite:///}"' ;;
        real) where="'$PWD/$DB.db'" ;;
    esac
    printf '#!/bin/sh\nexec sqlite3 -batch -bail %s <%s\n' "$where" "'$PWD/$1.sql'" >"$1"
    chmod 755 "$1"
}
# The status with which it fails at a statement, and the words with which a row is refused whose key is there.
FAILED_STATEMENT=1
DUPLICATE_KEY='UNIQUE constraint failed: account.id'
# sleep_for SECONDS: a statement that takes that long.
sleep_for() { echo ".shell sleep $1"; }

# What a program does that heeds its surroundings: by the engine's own variables, by DATABASE_URL.
sql_by_variables() { sqlite "$SQLITE_PATH" "$1"; }
sql_by_url() { sqlite "/${DATABASE_URL#sqlite:///}" "$1"; }
# Drops all there is in the database that the variables lead to, and then the file.
drop_all_by_variables() {
    sql_by_variables 'DROP TABLE mark; DROP TABLE entry; DROP TABLE account'
    rm "$SQLITE_PATH"
}
