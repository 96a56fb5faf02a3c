# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
# engines: postgres; MariaDB hides no rows of a table that may be read
. "$WORDS"
make_ledger
make_reader "reader_$DB"
let_read_all "reader_$DB"
hide_rows
expect 1 backup-db "$(url "$DB" "reader_$DB")"
holds err public.entry
is "$(backups)" 0
expect 0 backup-db "$URL"
holds "$(newest)/manifest.json" '"rows": 1000'
