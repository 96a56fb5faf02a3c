# shellcheck shell=sh source=tests/engine_scenarios/words/mariadb.sh
# engines: mariadb; with PostgreSQL a dump is worth nothing without the session that holds its snapshot
. "$WORDS"
make_ledger
account="waits_$DB"
make_user "$account"
config "$FAKES_LINE" '[env.dev]' "database = \"$(url "$DB" "$account")\""
# waiting_dump COMMANDS: a dump program before which these are run, and `others` gives the numbers of the account's sessions.
waiting_dump() {
    fake "$DUMP_PROGRAM" <<END
as_root() { '$SERVER_PROGRAMS/mariadb' --no-defaults --socket='$SERVER_SOCKET' --user=root --skip-column-names --execute="\$1"; }
others() { as_root "SELECT ID FROM information_schema.PROCESSLIST WHERE USER = '$account'"; }
$1
real "\$@"
END
}
# It is ended by somebody.
# shellcheck disable=SC2016 # the program runs these
waiting_dump 'others | tee -a "$HERE/ended" | while read -r id; do as_root "KILL $id"; done'
expect 0 backup-db
is "$(wc -l <ended)" 1 'sessions that waited'
is "$(jq .fingerprint.tables.entry.rows "$(newest)/manifest.json")" "$(rows_of entry)"
# An account that may have few sessions has none beside the dump.
sql_server "ALTER USER \`$account\`@localhost WITH MAX_USER_CONNECTIONS 2"
# shellcheck disable=SC2016
waiting_dump 'tries=0; while [ -n "$(others)" ]; do tries=$((tries + 1)); [ "$tries" -lt 100 ] || exit 9; sleep 0.1; done; echo alone >"$HERE/alone"'
expect 0 backup-db
is "$(cat alone)" alone
nothing_staged
