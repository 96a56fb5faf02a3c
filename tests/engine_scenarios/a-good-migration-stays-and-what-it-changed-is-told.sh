# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
. "$WORDS"
make_ledger
config '[env.dev]' "database = \"$URL\""
before=$(picture)
make_migration good <<'SQL'
ALTER TABLE account ADD COLUMN rating integer;
UPDATE account SET rating = 5 WHERE id <= 10;
INSERT INTO mark VALUES ('second');
CREATE TABLE invoice (id integer PRIMARY KEY);
SQL
cp good.sql shown
expect 0 client_env safe-migrate -v -e dev --report report.json -- ./good
holds err '1 rows gained'
holds err "table ${SCHEMA}invoice is new"
holds err "$(column_written rating)"
is "$(cat out)" ""
is "$(told .outcome) $(told .state.state) $(told .command_status) $(told .proven)" 'done migrated 0 true'
is "$(sql 'SELECT sum(rating) FROM account')" 50
is "$(rows_of mark)" 2
is "$(migration_backups) $(backups) $(kept_aside)" '1 0 '

# A second time there is nothing to do, and that is told too.
make_migration nothing </dev/null
expect 0 client_env safe-migrate -v -e dev -- ./nothing
holds err 'exactly as it was'

# The state before is a backup like any other.
first=$(basename "$(find "$STORE/migrations" -mindepth 1 -maxdepth 1 -type d | sort | head -n 1)")
expect 0 restore-db "$first"
[ "$(picture)" = "$before" ] || wrong "what came back is not what was there before the migration"
nothing_stands
nothing_beside
nothing_staged
