# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
. "$WORDS"
make_ledger 500
add_oddities
before=$(picture)
picture | gzip >old.sql.gz
if has_archive; then archive >custom.dump; fi
printf '%s\n' "[env.pg]" "database = \"$URL\"" >holdfast.toml
expect 0 backup-catalog import --as db -e pg --store "$STORE" old.sql.gz --at 2020-11-01T12:00Z --json
id=$(jq -r .id out)
is "$(jq -r '.manifest.fingerprint.tables["'"${SCHEMA}entry"'"].rows' out)" 500
is "$(jq -r '.manifest.database.name' out)" "$DATABASE_CALLED" "it is filed with the database's own backups"
expect 0 backup-guard -e pg --store "$STORE" --verify restore "$id"
expect 0 backup-catalog diff "$id" -e pg --store "$STORE" --with-current
holds out "nothing changed"
sql 'DELETE FROM entry WHERE id <= 3; ALTER TABLE mark ADD COLUMN more text'
expect 0 backup-db -e pg --store "$STORE"
expect 0 backup-catalog diff "$id" latest -e pg --store "$STORE" --json
is "$(jq -r '[.changes.tables[] | select(.table == "'"${SCHEMA}entry"'") | .after] | join(" ")' out)" 497
is "$(jq -r '[.changes.schema[].object] | index("table '"${SCHEMA}mark"'") != null' out)" true
expect 0 restore-db "$id" --no-safety-backup -e pg --store "$STORE"
[ "$(picture)" = "$before" ] || wrong "it is not what was dumped"
if has_archive; then
    expect 2 backup-catalog import --as db -e pg --store "$STORE" custom.dump
    holds err "pg_restore -f -"
fi
gunzip -c old.sql.gz | head -c 3000 >cut.sql
expect 3 backup-catalog import --as db -e pg --store "$STORE" cut.sql
expect 0 backup-catalog list -e pg --store "$STORE" --json
is "$(jq '.backups | length' out)" 2
