# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
# engines: postgres; settings, limits and comments of databases
. "$WORDS"
make_ledger
sql "ALTER DATABASE \"$DB\" SET work_mem = '5MB'; COMMENT ON DATABASE \"$DB\" IS 'the books'"
config '[env.dev]' "database = \"$URL\""
around() {
    sql_server "SELECT d.datconnlimit, s.setconfig, shobj_description(d.oid, 'pg_database') FROM pg_database d
        LEFT JOIN pg_db_role_setting s ON s.setdatabase = d.oid WHERE d.datname = '$DB'"
}
before=$(around)
expect 123 safe-migrate -e dev -- "$SERVER_PROGRAMS/psql" -v ON_ERROR_STOP=1 -d "$URL" -c "DELETE FROM entry WHERE id = 7" \
    -c "ALTER DATABASE \"$DB\" SET work_mem = '1MB'" -c "ALTER DATABASE \"$DB\" SET default_transaction_read_only = on" \
    -c "ALTER DATABASE \"$DB\" CONNECTION LIMIT 3" -c "COMMENT ON DATABASE \"$DB\" IS 'migrated'"
is "$(rows_of entry)" 1000
is "$(around)" "$before"
nothing_beside
nothing_staged
