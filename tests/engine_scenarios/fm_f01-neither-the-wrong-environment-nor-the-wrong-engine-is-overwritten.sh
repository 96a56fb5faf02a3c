# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
# engines: postgres mariadb; it is about databases of one server; fm_f01_the_wrong_environment_or_database_is_refused is about files
. "$WORDS"
make_ledger
make_ledger 10 "${DB}_prod"
config '[env.dev]' "database = \"$URL\"" '[env.prod]' "database = \"$(url "${DB}_prod")\"" 'protected = true' '[env.lite]' 'database = "sqlite:lite.db"'
expect 0 backup-db -e dev
of_dev=$(basename "$(newest dev)")
before=$(picture "${DB}_prod")

expect 4 restore-db -e prod --confirm prod "$STORE/dev/$of_dev"
holds err 'backup of dev'
expect 4 restore-db "$of_dev" --to "$(url "${DB}_prod")"
expect 4 restore-db -e dev "$of_dev" -d "${DB}_prod"
# The protected one is the protected one, however it is called.
expect 4 restore-db -f "$(newest dev)/database.sql.gz" --to "$(url "${DB}_prod")"
picture >dump.sql
# The marker tells it too, wherever the place stands in the configuration.
expect 0 backup-guard mark-env prod
is "$(sql_in "${DB}_prod" 'SELECT environment, role FROM holdfast_marker')" 'prod|real'
before=$(picture "${DB}_prod")
expect 4 backup-db -e dev "$(url "${DB}_prod")"
holds err 'dev was meant, but the database'
holds err 'says that it is prod'
expect 4 restore-db -e dev -f dump.sql -d "${DB}_prod"
holds err 'says that it is prod'
expect 4 restore-db -f dump.sql --to "$(url "${DB}_prod")"
holds err protected
expect 4 restore-db -e lite -f dump.sql
holds err "of $ENGINE"
expect 4 restore-db "$of_dev" --to "sqlite:$PWD/x.db"
for file in x.db lite.db; do [ ! -e "$file" ] || wrong "$file was made"; done
[ "$(picture "${DB}_prod")" = "$before" ] || wrong "the protected database has changed"
nothing_beside

# A restore elsewhere is a clone, one in its own place is the real one, also from a backup without a marker.
expect 0 backup-db -e prod
expect 0 restore-db -e prod latest -d "${DB}_copy"
is "$(sql_in "${DB}_copy" 'SELECT environment, role FROM holdfast_marker')" 'prod|clone'
expect 4 backup-db -e prod "$(url "${DB}_copy")"
holds err 'a clone of prod'
sql_in "${DB}_prod" 'DROP TABLE holdfast_marker'
expect 0 backup-db -e prod
expect 0 backup-guard mark-env prod
approved restore-db -e prod latest
is "$(sql_in "${DB}_prod" 'SELECT environment, role FROM holdfast_marker')" 'prod|real'
is "$(sql_in "${DB}_prod" 'SELECT count(*) FROM entry')" 10
nothing_beside
