# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
# engines: postgres mariadb; a swap of SQLite is one transaction
. "$WORDS"
make_ledger
config '[env.dev]' "database = \"$URL\""
expect 0 backup-db
set_mark live
leave_swap_half_done
swap_is_half_done || wrong "nothing was left half done"
expect 0 restore-db latest
is "$(mark)" first
is "$(backups)" 2 "the safety backup of what was there"
nothing_beside
expect 0 restore-db --undo
is "$(mark)" live

leave_swap_half_done
expect 0 restore-db --undo
is "$(mark)" first
nothing_beside
