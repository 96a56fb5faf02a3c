# shellcheck shell=sh source=tests/server_scenarios/words/postgres.sh disable=SC2016 # a program is written
. "$WORDS"
make_ledger
make_user "keeper_$DB" s3cret-of-the-keeper
echo s3cret-of-the-keeper >keeper.password
chmod 600 keeper.password
printf '[real]\nhost=%s\nport=5432\nuser=postgres\ndbname=%s\n' "$SERVER_SOCKET" "$DB" >services.conf
config '[env.dev]' "database = \"$(url "$DB" "keeper_$DB")\"" 'password_file = "keeper.password"' 'clone_env = { APP_DB = "x:{url}", APP_PORT = "{port}" }'
make_program tests 'env >seen; sql_by_variables "SELECT current_database()"; for url in "$DATABASE_URL" "$LEDGER_DB"; do sql_by_url "DELETE FROM entry" "$url" || exit 8; done'
# shellcheck disable=SC2086 # a list of words
expect 0 client_env $LEADS PGSERVICEFILE="$PWD/services.conf" DATABASE_URL="$URL" LEDGER_DB="$URL" DRIVER_URL="postgresql+psycopg2://app:x@/$DB?host=$SERVER_SOCKET" \
    LIBPQ_STYLE="host=$SERVER_SOCKET port=5432 dbname=$DB user=postgres" OTHER_URL="$(url "${DB}_other")" DB_PASSWORD=s3cret-of-the-keeper \
    safe-db-test -e dev -- ./tests
if grep -E '^(PGSERVICE|PGHOSTADDR|PGPASSWORD|PGPASSFILE|PGSSLMODE|DB_PASSWORD|LIBPQ_STYLE)=' seen; then wrong "a lead to the real database was left"; fi
lacks seen s3cret
if grep -v '^OTHER_URL=' seen | grep -F "$SERVER_SOCKET" | grep -vE '^(SERVER_SOCKET|URL|CLIENT_SETTINGS)='; then wrong "a variable leads to the real server"; fi
# Another database of that server is none of ours.
holds seen "OTHER_URL=$(url "${DB}_other")"
grep -q '^DRIVER_URL=postgresql+psycopg2:' seen || wrong "the driver was not kept: $(grep DRIVER_URL seen)"
grep -qE '^APP_DB=x:postgresql:.*holdfast-scratch' seen || wrong "clone_env was not heeded: $(grep APP_DB seen)"
is "$(rows_of entry)" 1000
