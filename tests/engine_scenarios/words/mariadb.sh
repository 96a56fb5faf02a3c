# The words of the scenarios that only MariaDB knows.
# shellcheck shell=sh
# shellcheck disable=SC2016,SC2034,SC2086 # programs are written here; the scenarios use what stands here; some of it is a list of words
# shellcheck disable=SC2153 # STORY is given
# shellcheck source=tests/engine_scenarios/story.sh
. "$STORY"

ENGINE=mariadb
# What a manifest calls the database.
DATABASE_CALLED=$DB
# The line with which a dump ends.
LAST_LINE='[Dd]ump complete'
export ENGINE_PROGRAMS="mariadb-dump mariadb mariadbd"
DUMP_PROGRAM=mariadb-dump
REAL_DUMP=$SERVER_PROGRAMS/mariadb-dump
CLIENT=mariadb
# One of the arguments that it is given.
DUMP_ARGUMENT=--single-transaction
# What stands before a table's name in reports.
SCHEMA=''
# The scenarios' own account.
ADMIN=root

# url [DATABASE [USER]]; with no database of its own: url ''.
url() { echo "mariadb://${2:-root}@localhost/${1-$DB}?socket=$SERVER_SOCKET"; }
server_url() { url '' "${1:-root}"; }
# url_with_password USER PASSWORD [PARAMETER]
url_with_password() { echo "mariadb://$1:$2@localhost/$DB?${3:-socket}=$SERVER_SOCKET"; }
URL=$(url)

# make_user NAME [PASSWORD]: an administrator; with a password, one who has to give it.
make_user() {
    sql_server "CREATE USER \`$1\`@localhost ${2:+IDENTIFIED BY '$2'}"
    sql_server "GRANT ALL ON *.* TO \`$1\`@localhost WITH GRANT OPTION"
}
# client_env [NAME=VALUE…] COMMAND…: with the server and this scenario's database in the environment.
client_env() { env $CLIENT_SETTINGS "$@"; }
# The same as words for `env`, where a process is started in the background and has to be signalled.
client_settings() { CLIENT_SETTINGS="MYSQL_HOST=localhost MYSQL_UNIX_PORT=$SERVER_SOCKET MYSQL_USER=root MYSQL_DATABASE=$DB"; }
client_settings

client() { env -u HOLDFAST_STATE_DIR $CLIENT_SETTINGS "$@"; }
# answer COMMAND…: the rows that a client gives, their columns parted as psql parts them.
answer() {
    answered=$("$@") || return
    [ -z "$answered" ] || printf '%s\n' "$answered" | tr '\t' '|'
}
mariadb_client() {
    env -u HOLDFAST_STATE_DIR "$SERVER_PROGRAMS/mariadb" --no-defaults --socket="$SERVER_SOCKET" --user=root --batch --raw --skip-column-names \
        --default-character-set=utf8mb4 "$@"
}
sql_in() { answer mariadb_client --database="$1" --execute="$2"; }
sql_server() { answer mariadb_client --execute="$1"; }
# sql_session DATABASE: says what comes on stdin.
sql_session() { mariadb_client --database="$1"; }

make_database() { sql_server "CREATE DATABASE \`$1\`"; }
drop_database() { sql_server "DROP DATABASE \`$1\`"; }
# What gives the next value of a sequence.
next_of() { echo "nextval($1)"; }
has_database() { [ "$(sql_server "SELECT count(*) FROM information_schema.schemata WHERE schema_name = '$1'")" = 1 ]; }
ledger_sql() {
    echo "
        CREATE TABLE account (id integer PRIMARY KEY, name text NOT NULL, cents bigint NOT NULL);
        CREATE TABLE entry (id integer PRIMARY KEY, account integer, cents bigint, note text, FOREIGN KEY (account) REFERENCES account (id));
        CREATE TABLE mark (word text) COMMENT 'of $DB';
        INSERT INTO account SELECT seq, concat('account ', seq), 1000 FROM seq_1_to_100;
        INSERT INTO entry SELECT seq, 1 + seq % 100, seq, repeat(md5(seq), 2) FROM seq_1_to_$1;
        INSERT INTO mark VALUES ('first');"
}

# The whole database as text, to compare before and after; the lines that name it are not part of it.
picture() {
    env -u HOLDFAST_STATE_DIR "$REAL_DUMP" --no-defaults --socket="$SERVER_SOCKET" --user=root --single-transaction --routines --events --triggers --hex-blob \
        --default-character-set=utf8mb4 --skip-dump-date "${1:-$DB}" | sed '/^-- Host: /d; /^-- Dumping [a-z]* for database /d'
}

# load DATABASE FILE: plain SQL, by the engine's own client.
load() { sql_session "$1" <"$2" >/dev/null; }

# Databases that a restore is loading or has left; and those that one has kept aside.
databases_like() { sql_server "SELECT schema_name FROM information_schema.schemata WHERE schema_name LIKE '$1'"; }
loading() { databases_like "${DB}\\_\\_restore%"; }
kept_aside() { databases_like "${DB}\\_\\_before%"; }

FAKES_LINE="mariadb_bin = \"$PWD/fakes\""

# What a person has done who did as RESTORE.txt says: the databases in which the restored and the damaged one are then, and
# the one that is dropped for the next time. The server is the one of ~/.my.cnf, and the database has a name of its own.
COMMANDS_BY_HAND=3
by_hand() {
    printf '[client]\nsocket=%s\nuser=root\n' "$SERVER_SOCKET" >"$HOME/.my.cnf"
    echo "$1" | sed "s/restored/$(restored_by_hand)/"
}
restored_by_hand() { echo "${DB}_restored"; }
damaged_by_hand() { echo "$DB"; }
dropped_by_hand() { restored_by_hand; }

# Scripts of dump programs that end well, each with less than the database.
partial_dumps() {
    cat <<END
one=\$1; shift; real "\$one" --ignore-table=$DB.mark "\$@"
one=\$1; shift; real "\$one" --no-data "\$@"
real "\$@" | sed "s/'first'/'fi'/; /Dump completed/d"
real "\$@" | tr -d ';'
END
}

# Ends the sessions that read the database for a dump.
end_dump_sessions() {
    for id in $(sql_server "SELECT id FROM information_schema.processlist WHERE db = '$DB' AND info LIKE 'SELECT /*!40001%'"); do
        sql_server "KILL $id"
        echo "$id"
    done
}

# What an account may not read. make_reader NAME: may read account only.
make_reader() { sql_server "CREATE USER \`$1\`@localhost; GRANT SELECT ON $DB.account TO \`$1\`@localhost"; }
let_read_all() { sql_server "GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON $DB.* TO \`$1\`@localhost; GRANT SELECT ON mysql.proc TO \`$1\`@localhost"; }
UNREADABLE='it lacks SELECT, SHOW VIEW, TRIGGER, EVENT'

# hold_table TABLE: locks it against readers in the background, until `release` is there.
hold_table() {
    { echo "LOCK TABLES $1 WRITE;"; until [ -e release ]; do sleep 0.05; done; } | sql_session "$DB" &
    until_true 10 is_held "$1"
}
is_held() { ! sql "SET STATEMENT lock_wait_timeout = 0 FOR SELECT 1 FROM $1 LIMIT 1" 2>/dev/null; }
waits_for_lock() { [ "$(sql_server "SELECT count(*) > 0 FROM information_schema.processlist WHERE db = '$DB' AND state LIKE 'Waiting for table%lock'")" = 1 ]; }

# before_snapshot SQL: the dump program runs it once, after the tables were listed.
before_snapshot() {
    : >once
    fake "$DUMP_PROGRAM" <<END
if rm "\$HERE/once" 2>/dev/null; then '$SERVER_PROGRAMS/mariadb' --no-defaults --socket='$SERVER_SOCKET' --user=root --database='$DB' --execute='$1'; fi
real "\$@"
END
}

# sit_in_transaction: a client that stays, with a transaction open. (INNODB_TRX is no older than the last look at it, so it is not asked.)
sit_in_transaction() {
    : >sitting
    { echo "BEGIN; UPDATE account SET cents = cents WHERE id = 1; SELECT 'it sits';"; until [ -e stop ]; do sleep 0.05; done; } |
        mariadb_client --unbuffered --database="$DB" >sitting 2>/dev/null &
    until_true 10 test -s sitting
}

# transfer NUMBER: moves cents between accounts until `stop` is there.
transfer() {
    while [ ! -e stop ]; do
        echo "SET @one = 1 + floor(rand() * 50), @other = 51 + floor(rand() * 50); BEGIN; UPDATE account SET cents = cents - 7 WHERE id = @one; UPDATE account SET cents = cents + 7 WHERE id = @other; COMMIT;"
    done | sql_session "$DB" >/dev/null
}

# The state that a kill in the middle of a swap leaves: its journal is written, and the triggers and events are dropped already.
leave_swap_half_done() {
    half="${DB}__restore_20260101t000000z_dead"
    sql_server "CREATE DATABASE $half; CREATE TABLE $half.holdfast_swap (name varchar(16) CHARACTER SET ascii PRIMARY KEY, text longblob NOT NULL);
        INSERT INTO $half.holdfast_swap VALUES
            ('label', '{\"role\":\"restore\",\"target\":\"$DB\",\"swap\":{\"incoming\":\"$half\",\"aside\":\"${DB}__before_20260101t000000z_dead\",\"had_target\":true,\"has_target\":true,\"charset\":null}}'),
            ('objects', '{\"programs\":\"\",\"views\":\"\"}'), ('incoming', '{\"programs\":\"\",\"views\":\"\"}');
        CREATE DATABASE ${DB}__before_20260101t000000z_dead"
}
swap_is_half_done() { is_loading; }

make_role() { sql_server "CREATE USER \`$1\`@localhost"; }
drop_role() { sql_server "DROP USER \`$1\`@localhost"; }

# Things that only this engine has and that a text dump must carry.
add_oddities() {
    sql "CREATE TABLE bytes (id integer PRIMARY KEY, content longblob, bits bit(9), amount bigint unsigned, at time(6)) CHARACTER SET latin1;
        INSERT INTO bytes VALUES (1, x'00ff5c2e0a27', b'101010101', 18446744073709551615, '-838:59:58.999999');
        CREATE VIEW totals AS SELECT account, sum(cents) AS cents FROM entry GROUP BY account;
        CREATE VIEW rich AS SELECT * FROM totals WHERE cents > 10;
        CREATE SEQUENCE counter START WITH 42; SELECT nextval(counter);
        CREATE TRIGGER stamp BEFORE INSERT ON mark FOR EACH ROW SET new.word = upper(new.word);
        CREATE FUNCTION twice(n integer) RETURNS integer DETERMINISTIC RETURN 2 * n;
        CREATE PROCEDURE tidy() DELETE FROM mark WHERE word = 'never';
        CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY STARTS '2020-01-01 03:00:00' DO CALL tidy()" >/dev/null
}
oddities() { sql "SELECT hex(content), bits + 0, amount, at FROM bytes; SELECT count(*) FROM rich; SELECT twice(21); SELECT next_not_cached_value > 42 FROM counter; SHOW CREATE TRIGGER stamp" | sed 's/|[0-9: .-]*$//'; }

# There is no archive format beside the text.
has_archive() { false; }
archive() { false; }

# make_migration NAME [variables|url|argument|real]: ./NAME, a program that says the statements on stdin one by one, each by
# itself, and fails at the first that fails. It finds its database by the engine's own variables, by DATABASE_URL, by its
# argument, or heeds nothing and goes to the real one.
make_migration() {
    cat >"$1.sql"
    case ${2:-variables} in
        variables) where='variables' ;;
        url) where='url "$DATABASE_URL"' ;;
        argument) where='url "$1"' ;;
        real) where="url '$URL'" ;;
    esac
    printf '#!/bin/sh\nPROGRAMS=%s\n%s\nby_%s <%s\n' "'$SERVER_PROGRAMS'" "$BY" "$where" "'$PWD/$1.sql'" >"$1"
    chmod 755 "$1"
}
# How a program finds its database that heeds the variables; and one that heeds a URL.
BY='by_variables() { exec "$PROGRAMS/mariadb" --no-defaults --batch --raw --skip-column-names --user="$MYSQL_USER" --host="${MYSQL_HOST:-localhost}" --socket="${MYSQL_UNIX_PORT:-}" --database="$MYSQL_DATABASE" "$@"; }
by_url() {
    rest=${1#*://} query=${1#*\?} socket=${1#*socket=}
    user=${rest%%@*} path=${rest#*/}
    path=${path%%\?*} socket=$(printf %s "${socket%%&*}" | sed "s,%2F,/,g")
    case $user in *:*) MYSQL_PWD=${user#*:} && export MYSQL_PWD ;; esac
    shift
    exec "$PROGRAMS/mariadb" --no-defaults --batch --raw --skip-column-names --user="${user%%:*}" --socket="$socket" --database="$path" "$@"
}'
# What a program does that heeds its surroundings: by the engine's own variables, by DATABASE_URL.
sql_by_variables() { (PROGRAMS=$SERVER_PROGRAMS; eval "$BY"; answer by_variables --execute="$1"); }
sql_by_url() { (PROGRAMS=$SERVER_PROGRAMS; eval "$BY"; answer by_url "${2:-$DATABASE_URL}" --execute="$1"); }
# The status with which it fails at a statement, and the words with which a row is refused whose key is there.
FAILED_STATEMENT=1
DUPLICATE_KEY="Duplicate entry '1' for key 'PRIMARY'"
# Rows of a table in a state that was kept aside.
failed_rows() { rows_in "$1" "$2"; }
# sleep_for SECONDS: a statement that takes that long.
sleep_for() { echo "SELECT sleep($1);"; }
# How often a restore is killed at a random moment: fm_f03-a-restore-killed-at-any-statement… takes each moment by itself.
KILL_ROUNDS=6
# What is told of who waits, and of the client that sits in a transaction.
WAITS_FOR_LOCK='waits for table metadata lock'
BLOCKS='has a transaction open since'
DATABASE_NAME='database()'
# as_written NAME: a table, as statements of a dump have it.
as_written() { echo "\`$1\`"; }
# column_written NAME: one of whole numbers.
column_written() { echo "\`$1\` int(11)"; }

# No statement renames a database.
rename_database() {
    make_database "$2"
    for table in $(sql_server "SELECT table_name FROM information_schema.tables WHERE table_schema = '$1'"); do
        moves="${moves:+$moves, }\`$1\`.\`$table\` TO \`$2\`.\`$table\`"
    done
    sql_server "RENAME TABLE $moves"
    drop_database "$1"
}
# add_counter TABLE: its id is counted by the database from here on.
add_counter() { sql "ALTER TABLE $1 MODIFY id integer AUTO_INCREMENT, AUTO_INCREMENT = 5000000"; }

# own_server: from here on this scenario has a server of its own, which it may stop.
own_server() {
    mkdir -p own
    if [ "$(id -u)" = 0 ]; then chown mysql own; fi
    as_server_user "$SERVER_PROGRAMS/mariadb-install-db" --no-defaults --auth-root-authentication-method=normal --skip-test-db --skip-name-resolve \
        --innodb-flush-method=nosync --innodb-log-file-size=8M --datadir="$PWD/own/data" >/dev/null 2>&1
    SERVER_SOCKET=$PWD/own/s OWN=$PWD/own
    export SERVER_SOCKET OWN
    URL=$(url)
    client_settings
    trap stop_own_server EXIT
    start_own_server
}
start_own_server() {
    as_server_user env -u HOLDFAST_STATE_DIR mariadbd --no-defaults --datadir="$OWN/data" --socket="$SERVER_SOCKET" --pid-file="$OWN/data/pid" --skip-networking \
        --skip-name-resolve --innodb-flush-log-at-trx-commit=2 --innodb-doublewrite=0 --innodb-flush-method=nosync --innodb-log-file-size=8M >"$PWD/own.log" 2>&1 </dev/null &
    until_true 30 sql_server 'SELECT 1'
}
stop_own_server() {
    pid=$(cat "$OWN/data/pid")
    kill -KILL "$pid"
    while kill -0 "$pid" 2>/dev/null; do sleep 0.02; done
}
# A server refuses to run as root.
as_server_user() { PATH=$PATH:/usr/sbin; if [ "$(id -u)" = 0 ]; then setpriv --reuid=mysql --regid=mysql --clear-groups "$@"; else "$@"; fi; }

# Drops all there is in the database that the variables lead to, and then the whole database of the scenario's name there.
drop_all_by_variables() { sql_by_variables "SET foreign_key_checks = 0; DROP TABLE account, entry, mark; DROP DATABASE \`$DB\`"; }
# make_plain_user NAME: one who may connect, and nothing more; and the statement by which it may create databases.
make_plain_user() { sql_server "CREATE USER \`$1\`@localhost"; }
may_create_databases() { echo "GRANT ALL ON \`holdfast\_scratch\_%\`.* TO '$1'@'localhost'"; }
tables_have_owners() { false; }
give_tables_to() { :; }
# give_database_to USER: with all that is in it.
give_database_to() { sql_server "GRANT ALL ON \`$DB\`.* TO \`$1\`@localhost; GRANT SELECT ON mysql.proc TO \`$1\`@localhost"; }
# What stands in the way of a swap, and what an account needs for one: every right that it names itself.
swap_can_be_held_up() { false; }
may_restore() {
    echo "GRANT SELECT, INSERT, DELETE, CREATE, DROP, ALTER, INDEX, REFERENCES, LOCK TABLES, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, EVENT, TRIGGER" \
        "ON \`$DB\\_\\_%\`.* TO '$1'@'localhost'"
}
may_no_longer_restore() { sql_server "REVOKE ALL ON \`$DB\\_\\_%\`.* FROM '$1'@'localhost'"; }
# What tells a clone is its whole name, and nothing else does.
mark_as_scratch() { sql_in "$1" "CREATE TABLE holdfast_scratch (role text)"; }
ONLY_NAMED=holdfast_scratch_mine
# change_around: changes what stands around the database, and nothing in it; around: what that is.
change_around() { echo "sql_server 'ALTER DATABASE \`$DB\` CHARACTER SET latin1 COMMENT \"theirs\"'"; }
around() { sql_server "SELECT default_character_set_name, default_collation_name, schema_comment FROM information_schema.schemata WHERE schema_name = '$DB'"; }
AROUND_TOLD="the database's charset, the database's collation, the database's comment"
# make_leads: variables by which a client could still find its way to the real database, in LEADS; LEAD_NAMES are those that a
# clone's surroundings must not have.
make_leads() {
    LEADS='MYSQL_PWD=s3cret MYSQL_PASSWORD=s3cret MYSQL_TCP_PORT=3307 MYSQL_PORT=3307'
    LEAD_NAMES='MYSQL_PWD|MYSQL_PASSWORD|MYSQL_TCP_PORT|MYSQL_PORT'
    DRIVER_URL="mysql+pymysql://app:x@localhost/$DB?unix_socket=$SERVER_SOCKET"
    LIBRARY_STYLE="unix_socket=$SERVER_SOCKET;dbname=$DB;user=root"
}
# sit_in DATABASE: somebody connects there and stays, until `stop` is there.
sit_in() {
    { echo "SELECT 1;"; until [ -e stop ]; do sleep 0.05; done; } | sql_session "$1" >/dev/null 2>&1 &
    until_true 10 somebody_is_in "$1"
}
somebody_is_in() { [ "$(sql_server "SELECT count(*) > 0 FROM information_schema.processlist WHERE db = '$1'")" = 1 ]; }
# The clones of this scenario's database on a server that the configuration names: those in which its tables are.
scratches() { sql_server "SELECT table_schema FROM information_schema.tables WHERE table_schema REGEXP '^holdfast_(scratch|kept)_' AND table_comment = 'of $DB'"; }
has_private_scratch() { [ -n "$(find "$TMPDIR" -maxdepth 2 -name data)" ]; }
# slowly_delete SECONDS TABLE: one statement, which deletes all rows with an id above 10 when that time is over.
slowly_delete() { echo "DELETE e FROM $2 e JOIN (SELECT sleep($1)) pause WHERE e.id > 10;"; }
# is_at_work [WORD]: whether the server is at it, asked with sql_server or another word.
is_at_work() { [ "$(${1:-sql_server} "SELECT count(*) > 0 FROM information_schema.processlist WHERE command = 'Query' AND info LIKE 'DELETE e FROM%'")" = 1 ]; }
