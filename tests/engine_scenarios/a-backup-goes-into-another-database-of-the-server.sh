# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
# engines: postgres mariadb; a database of SQLite is on no server
. "$WORDS"
make_ledger
add_oddities
before=$(picture)
expect 0 backup-db "$URL"
set_mark live
expect 0 restore-db latest --to "$(url "${DB}_other")"
[ "$(picture "${DB}_other")" = "$before" ] || wrong "it is not what was backed up"
is "$(mark)" live
expect 0 restore-db latest -d "${DB}_third"
[ "$(picture "${DB}_third")" = "$before" ] || wrong "it is not what was backed up"
is "$(mark)" live
# The plan is printed, and nothing done.
expect 0 restore-db -n latest --to "$(url "${DB}_fourth")"
holds out "${DB}_fourth"
if has_database "${DB}_fourth"; then wrong "a dry run has made a database"; fi
