# shellcheck shell=sh source=tests/engine_scenarios/words/mariadb.sh
# engines: mariadb; in PostgreSQL they are part of the database and of its dump
. "$WORDS"
make_ledger 10
sql "CREATE PROCEDURE tidy(n int) DELETE FROM entry WHERE id = n; CREATE FUNCTION twice(n int) RETURNS int DETERMINISTIC RETURN n * 2;
    CREATE PROCEDURE gone() SELECT 'backed up'"
sql_server "CREATE USER 'app_$DB'@'localhost'; GRANT EXECUTE ON PROCEDURE $DB.tidy TO 'app_$DB'@'localhost'; GRANT EXECUTE ON FUNCTION $DB.Twice TO 'app_$DB'@'localhost'"
granted() { sql_server "SELECT routine_name, routine_type, proc_priv FROM mysql.procs_priv WHERE db = '$DB' ORDER BY 1"; }
body() { sql_server "SELECT routine_definition FROM information_schema.routines WHERE routine_schema = '$DB' AND routine_name = '$1'"; }
before=$(granted)
is "$(printf '%s\n' "$before" | wc -l)" 2
config '[env.dev]' "database = \"$URL\""
expect 0 backup-db
# Another text of the same name, one that is gone, and one that is new.
sql "DROP PROCEDURE gone; CREATE PROCEDURE new_() SELECT 1; CREATE OR REPLACE PROCEDURE tidy(n int) SELECT 'live'"
expect 0 restore-db latest --no-safety-backup
is "$(granted)" "$before"
is "$(body tidy)" 'DELETE FROM entry WHERE id = n'
is "$(body gone) $(body new_)" "SELECT 'backed up' "
expect 0 restore-db --undo
is "$(granted)" "$before"
is "$(body tidy)" "SELECT 'live'"
is "$(body gone) $(body new_)" ' SELECT 1'
sql_server "DROP USER 'app_$DB'@'localhost'"
