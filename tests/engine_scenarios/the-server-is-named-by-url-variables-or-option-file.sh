# shellcheck shell=sh source=tests/engine_scenarios/words/mariadb.sh
# engines: mariadb; its variables and files; PostgreSQL's are in the-server-is-named-by-url-variables-service-or-password-file
. "$WORDS"
make_ledger
make_user "keeper_$DB" s3cret-of-the-keeper
refused() { expect 1 "$@"; holds err password; lacks err s3cret; }

expect 0 backup-db "$URL"
# As for the client, a socket in the machine's own option file would win over the variable.
here="socket=$SERVER_SOCKET"
expect 0 client_env backup-db "mariadb:?$here"
expect 0 client_env MYSQL_DATABASE=other backup-db "mysql:///$DB?$here"
refused env MYSQL_USER="keeper_$DB" MYSQL_DATABASE="$DB" backup-db "mariadb:?$here"
expect 0 env MYSQL_USER="keeper_$DB" MYSQL_DATABASE="$DB" MYSQL_PWD=s3cret-of-the-keeper backup-db "mariadb:?$here"

# The file of the client programs; what says how much is dumped, and how it looks, is not heeded.
printf '[client]\nsocket=%s\nuser=keeper_%s\npassword=s3cret-of-the-keeper\n[mysqldump]\nignore-table=%s.mark\nno-data\n[mysql]\nsilent\ninit-command=nonsense\n' \
    "$SERVER_SOCKET" "$DB" "$DB" >"$HOME/.my.cnf"
chmod 600 "$HOME/.my.cnf"
expect 0 backup-db "mariadb:///$DB" --verify restore
is "$(jq -c '.fingerprint.tables | map_values(.rows)' "$(newest)/manifest.json")" '{"account":100,"entry":1000,"mark":1}'
drop_table mark
expect 0 restore-db latest --to "mariadb:///$DB"
is "$(mark)" first
# The user that the URL names has no such password.
expect 1 backup-db "$(url "$DB" nobody_here)"
rm "$HOME/.my.cnf"
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
