# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh disable=SC2016 # a program is written
# engines: postgres mariadb; SQLite has no users, and no variables of its own
. "$WORDS"
make_ledger
make_user "keeper_$DB" s3cret-of-the-keeper
echo s3cret-of-the-keeper >keeper.password
chmod 600 keeper.password
make_leads
config '[env.dev]' "database = \"$(url "$DB" "keeper_$DB")\"" 'password_file = "keeper.password"' 'clone_env = { APP_DB = "x:{url}", APP_NAME = "{database}" }'
make_program tests 'env >seen; sql_by_variables "SELECT $DATABASE_NAME"; for url in "$DATABASE_URL" "$LEDGER_DB"; do sql_by_url "DELETE FROM entry" "$url" || exit 8; done'
# shellcheck disable=SC2086 # a list of words
expect 0 client_env $LEADS DATABASE_URL="$URL" LEDGER_DB="$URL" DRIVER_URL="$DRIVER_URL" LIBRARY_STYLE="$LIBRARY_STYLE" OTHER_URL="$(url "${DB}_other")" DB_PASSWORD=s3cret-of-the-keeper \
    safe-db-test -e dev -- ./tests
if grep -E "^($LEAD_NAMES|DB_PASSWORD|LIBRARY_STYLE)=" seen; then wrong "a lead to the real database was left"; fi
lacks seen s3cret
if grep -v '^OTHER_URL=' seen | grep -F "$SERVER_SOCKET" | grep -vE '^(SERVER_SOCKET|URL|CLIENT_SETTINGS)='; then wrong "a variable leads to the real server"; fi
# Another database of that server is none of ours.
holds seen "OTHER_URL=$(url "${DB}_other")"
grep -q "^DRIVER_URL=${DRIVER_URL%%:*}:" seen || wrong "the driver was not kept: $(grep DRIVER_URL seen)"
grep -qE '^APP_DB=x:(postgresql|mariadb):.*holdfast-scratch' seen || wrong "clone_env was not heeded: $(grep APP_DB seen)"
is "$(rows_of entry)" 1000
