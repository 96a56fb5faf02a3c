# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
# engines: postgres mariadb; SQLite has no users
. "$WORDS"
make_ledger
make_user owner_of_"$DB"
give_database_to "owner_of_$DB"
config '[env.prod]' "database = \"$URL\"" 'protected = true'
expect 0 backup-db -e prod
mkdir -p path/to
picture | gzip >path/to/backup.sql.gz
before=$(picture)
set_mark damaged
damaged=$(picture)

expect 4 restore-db -e prod -f path/to/backup.sql.gz
holds err protected
expect 4 restore-db -e prod -f path/to/backup.sql.gz --confirm dev
[ "$(picture)" = "$damaged" ] || wrong "a refused restore has changed the database"

# The environment's own database, under another user.
approved restore-db -e prod -f path/to/backup.sql.gz -u "$ADMIN" -d "$DB"
[ "$(picture)" = "$before" ] || wrong "it is not what the file holds"
expect 4 restore-db -e prod --undo
approved restore-db -e prod --undo
[ "$(picture)" = "$damaged" ] || wrong "the undo did not bring the old one back"

# Another database of the same server, which is made.
approved restore-db -e prod -f path/to/backup.sql.gz -u owner_of_"$DB" -d "${DB}_new"
is "$(sql_in "${DB}_new" 'SELECT word FROM mark')" first
[ "$(picture)" = "$damaged" ] || wrong "the environment's own database was changed"
