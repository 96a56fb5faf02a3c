# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
. "$WORDS"
make_ledger
before=$(picture)

# Without any configuration.
expect 0 backup-db "$URL"
is "$(backups)" 1
holds out "$(basename "$(newest)")"
expect 0 backup-guard --verify restore
expect 0 backup-guard latest --verify exact
nothing_staged

drop_table entry
broken=$(picture)
expect 0 restore-db -v latest
[ "$(picture)" = "$before" ] || wrong "the restored database is not what was backed up"
holds err "restore-db --undo"
# What was there has gone into the store first.
is "$(backups)" 2
nothing_beside

expect 0 restore-db --undo
[ "$(picture)" = "$broken" ] || wrong "the undone database is not what was there before the restore"
expect 0 restore-db --undo
[ "$(picture)" = "$before" ] || wrong "the undo was not undone"
is "$(kept_aside | wc -l)" 1
approved restore-db --discard
is "$(kept_aside)" ""
[ "$(picture)" = "$before" ] || wrong "discarding has changed the database"
