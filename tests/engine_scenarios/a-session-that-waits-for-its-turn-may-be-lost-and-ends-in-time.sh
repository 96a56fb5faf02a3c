# shellcheck shell=sh source=tests/engine_scenarios/words/mariadb.sh
# engines: mariadb; PostgreSQL's session is opened when it is its turn
. "$WORDS"
make_ledger
account="waits_$DB"
make_user "$account"
config "$FAKES_LINE" '[env.dev]' "database = \"$(url "$DB" "$account")\""
sessions() { sql_server "SELECT $1 FROM information_schema.PROCESSLIST WHERE USER = '$account' AND COMMAND = 'Sleep' AND TIME > 0"; }
has_sessions() { [ "$(sessions 'count(*)')" = "$1" ]; }
# While another backup has the environment, one has looked at the database and waits for its turn.
in_the_queue() {
    fake_dump_that_pauses
    backup-db -e dev "$URL" >first 2>&1 &
    first=$!
    until_true 20 test -e halfway
    backup-db -e dev --wait 60s >second 2>&1 &
    second=$!
}
# its_turn: both do well.
its_turn() {
    : >go
    wait "$first" || wrong "the first failed: $(cat first)"
    wait "$second" || wrong "the second failed: $(cat second)"
    is "$(jq .fingerprint.tables.entry.rows "$(newest)/manifest.json")" "$(rows_of entry)"
}
in_the_queue
until_true 10 has_sessions 1
sql_server "KILL $(sessions ID)"
its_turn
# What has changed meanwhile is what the backup tells.
in_the_queue
until_true 10 has_sessions 1
sql_server "ALTER DATABASE \`$DB\` CHARACTER SET latin1 COLLATE latin1_bin"
its_turn
is "$(jq -c .database.properties.collation "$(newest)/manifest.json")" '"latin1_bin"'
# Nobody keeps a connection for long that is of no use to anybody.
in_the_queue
until_true 10 has_sessions 1
until_true 15 has_sessions 0
its_turn
# An account that may have few gives it back at once.
sql_server "ALTER USER \`$account\`@localhost WITH MAX_USER_CONNECTIONS 2"
in_the_queue
sleep 3
has_sessions 0 || wrong "an account of few sessions has one that waits"
its_turn
is "$(backups)" 8
# A client that does not end by itself is ended, also where its session is of no use in the end.
sql_server "ALTER USER \`$account\`@localhost WITH MAX_USER_CONNECTIONS 0"
fake "$CLIENT" <<'END'
trap '' TERM
real "$@"
case " $* " in *" --unbuffered "*) sleep 60 ;; esac
END
expect 0 backup-db -n
none_runs || wrong "left: $(running)"
nothing_staged
