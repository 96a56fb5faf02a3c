# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
# engines: postgres; only PostgreSQL's objects have an owner without whom they cannot be
. "$WORDS"
make_ledger
make_owner "bookkeeper_$DB"
before=$(picture)
expect 0 backup-db "$URL"
drop_database "$DB"
drop_role "bookkeeper_$DB"
expect 1 restore-db latest
holds err "bookkeeper_$DB"
holds err hint
if has_database "$DB"; then wrong "a database was made"; fi
nothing_beside
make_role "bookkeeper_$DB"
expect 0 restore-db latest
[ "$(picture)" = "$before" ] || wrong "it is not what was backed up"
# Before, there was nothing, and that comes back too.
expect 0 restore-db --undo
if has_database "$DB"; then wrong "the database is still there"; fi
expect 0 restore-db --undo
[ "$(picture)" = "$before" ] || wrong "it did not come back"
