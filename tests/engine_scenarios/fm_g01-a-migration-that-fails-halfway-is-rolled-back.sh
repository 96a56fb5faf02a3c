# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
. "$WORDS"
make_ledger
config '[env.dev]' "database = \"$URL\""
before=$(picture)
make_migration failing <<'SQL'
ALTER TABLE account ADD COLUMN rating integer;
DELETE FROM entry WHERE id > 10;
INSERT INTO account VALUES (1, 'again', 0, 0);
DROP TABLE mark;
CREATE TABLE invoice (id integer);
SQL
expect "$FAILED_STATEMENT" client_env safe-migrate -e dev --report report.json -- ./failing
[ "$(picture)" = "$before" ] || wrong "the content is not what it was before"
is "$(told .outcome) $(told .state.state)" 'failed rolled_back'
# The command's own words come through, ours after them.
holds err "$DUPLICATE_KEY"
holds err 'rolled back'
aside=$(kept_aside)
holds err "$aside"
is "$(told .state.kept_aside)" "$aside"
is "$(failed_rows "$aside" entry)" 10
approved restore-db -e dev --discard
is "$(kept_aside)" ""
[ "$(picture)" = "$before" ] || wrong "discarding has changed the database"

# Where it may stay, it stays, with the way back told.
expect "$FAILED_STATEMENT" client_env safe-migrate -e dev --on-failure keep -- ./failing
is "$(rows_of entry)" 10
holds err 'restore-db -e dev'
# Nothing can ask without a terminal, so nothing is begun.
expect 125 client_env safe-migrate -e dev --on-failure ask -- ./failing
is "$(migration_backups)" 2
nothing_stands
nothing_beside
nothing_staged
