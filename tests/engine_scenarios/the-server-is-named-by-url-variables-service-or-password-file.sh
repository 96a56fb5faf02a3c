# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
# engines: postgres; its variables and files; MariaDB's are in the-server-is-named-by-url-variables-or-option-file
. "$WORDS"
make_ledger
make_user "keeper_$DB" s3cret-of-the-keeper
refused() { expect 1 "$@"; holds err password; lacks err s3cret; }

expect 0 backup-db "$URL"
expect 0 client_env backup-db postgres:
expect 0 client_env PGDATABASE="$DB" backup-db postgres:
expect 0 client_env backup-db "postgres:///$DB"

printf '[books]\nhost=%s\nport=5432\nuser=keeper_%s\ndbname=%s\n' "$SERVER_SOCKET" "$DB" "$DB" >services.conf
chmod 600 services.conf
refused env PGSERVICEFILE="$PWD/services.conf" backup-db 'postgres:?service=books'
echo "*:*:*:keeper_$DB:s3cret-of-the-keeper" >pass
chmod 600 pass
expect 0 env PGSERVICEFILE="$PWD/services.conf" PGPASSFILE="$PWD/pass" backup-db 'postgres:?service=books'
cp pass "$HOME/.pgpass"
chmod 600 "$HOME/.pgpass"
expect 0 backup-db "$(url "$DB" "keeper_$DB")"
rm "$HOME/.pgpass"
refused backup-db "$(url "$DB" "keeper_$DB")"

echo s3cret-of-the-keeper >keeper.password
chmod 644 keeper.password
config '[env.prod]' "database = \"$(url "$DB" "keeper_$DB")\"" 'password_file = "keeper.password"'
expect 6 backup-db -e prod
holds err 'chmod 600'
chmod 600 keeper.password
expect 0 backup-db -e prod
drop_table mark
expect 0 restore-db -e prod latest
is "$(mark)" first
is "$(backups prod)" 2
is "$(backups dev)" 6
