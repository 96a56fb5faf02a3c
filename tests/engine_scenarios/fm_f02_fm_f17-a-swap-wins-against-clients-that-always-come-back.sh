# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
# engines: postgres mariadb; a transaction of SQLite holds everybody else off, and nobody can end it
. "$WORDS"
make_ledger 5000
expect 0 backup-db "$URL"
set_mark live
for number in 1 2 3 4; do come_and_go "$number" & done
sit_in_transaction
expect 0 timeout 60 restore-db latest --no-safety-backup
is "$(mark)" first
expect 0 timeout 60 restore-db --undo
is "$(mark)" live
: >stop
wait
for number in 1 2 3 4; do holds "visits.$number" in; done
nothing_beside
is "$(kept_aside | wc -l)" 1
