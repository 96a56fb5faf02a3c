# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
. "$WORDS"
make_ledger
config '[env.prod]' "database = \"$URL\""
expect 0 backup-db
is "$(backups prod)" 1
expect 0 backup-guard
drop_table mark
expect 0 restore-db latest
is "$(mark)" first
