# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
# engines: postgres mariadb; who may read a file of SQLite may read all of it
. "$WORDS"
make_ledger
make_reader "reader_$DB"
expect 1 backup-db "$(url "$DB" "reader_$DB")"
holds err "$UNREADABLE"
holds err hint
is "$(backups)" 0
let_read_all "reader_$DB"
expect 0 backup-db "$(url "$DB" "reader_$DB")"
