#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

# shellcheck disable=SC2016 # the configuration expands it
config '[env.prod]' 'database = "prod.db"' 'protected = true' '[env.dev]' 'database = "dev.db"' '[env.test]' 'database = "${TEST_DB}"'
ledger prod.db 9
ledger dev.db 5
marker() { sqlite3 "$1" 'SELECT environment, role FROM holdfast_marker'; }
TEST_DB=$PWD/test.db
export TEST_DB
expect 0 backup-db -e prod
unmarked=$(made)
expect 0 backup-guard mark-env prod -n
prints "mark     sqlite:$PWD/prod.db as prod: it bears no marker now"
is "$(sqlite3 prod.db "SELECT count(*) FROM sqlite_schema WHERE name = 'holdfast_marker'")" 0 "tables of a dry run"
expect 0 backup-guard mark-env prod
prints "marked	prod	sqlite:$PWD/prod.db"
is "$(marker prod.db)" 'prod|real' "the marker"
expect 0 backup-guard mark-env prod
prints 'unchanged	prod'
expect 0 backup-guard mark-env dev --json
is "$(jq -r '.environment, .before, .is_change' "$OUT" | tr '\n' ' ')" 'dev null true ' "what was marked"
expect 2 backup-guard mark-env dev -e prod
expect 1 backup-guard mark-env test
says "there is no database at"
[ ! -e test.db ] || wrong "a database was made"

# The wrong variable in the shell: the tests' database is production.
TEST_DB=$PWD/prod.db
before=$(hash_of prod.db)
expect 4 backup-db -e test
says 'test was meant, but the database'
says 'says that it is prod'
expect 4 backup-db -e test -n
expect 4 backup-db -e dev "$PWD/prod.db"
says 'dev was meant'
expect 4 backup-db prod.db -e dev
expect 0 backup-db -e prod
marked=$(made)
cp dev.db dump.db
expect 4 restore-db -e test -f dump.db
says 'prod'
expect 4 restore-db -e test -f dump.db -n
expect 4 restore-db -e dev -f dump.db --to "sqlite:$PWD/prod.db"
is "$(hash_of prod.db)" "$before" "the database of prod"
is "$(count test)$(count dev)" 00 "backups of the others"
TEST_DB=$PWD/test.db

# A copy by hand says that it is prod, and is as well protected as prod, wherever it lies.
cp prod.db copy.db
before=$(hash_of copy.db)
expect 4 restore-db -e prod latest --to sqlite:copy.db
says 'prod is protected'
expect 0 backup-db -e dev
of_dev=$(made)
expect 4 restore-db -e dev "$of_dev" --to sqlite:copy.db
says 'prod'
mv holdfast.toml ../aside.toml
expect 4 restore-db "$of_dev" --to sqlite:copy.db --store backups
says 'dev was meant, but the database'
expect 4 restore-db "$marked" --to sqlite:copy.db --store backups
says 'says that it is prod, which no configuration here describes'
expect 4 backup-db copy.db
says 'dev was meant'
is "$(hash_of copy.db)" "$before" "the copy"
mv ../aside.toml holdfast.toml

# A restore elsewhere says that it is a clone, and passes for none of both.
expect 0 restore-db -e prod latest --to sqlite:clone.db
is "$(marker clone.db)" 'prod|clone' "the marker of a clone"
is "$(marker prod.db)" 'prod|real' "the marker of the original"
expect 0 restore-db -e prod latest --to sqlite:clone.db
is "$(marker clone.db)" 'prod|clone' "the marker of a clone that was overwritten"
TEST_DB=$PWD/clone.db
expect 4 backup-db -e test
says 'test was meant'
says 'a clone of prod'
expect 4 backup-db -e prod clone.db
says 'prod was meant'
# It becomes somebody's own when somebody says so.
expect 4 backup-guard mark-env test
says 'a clone of prod'
approved backup-guard mark-env test
is "$(marker clone.db)" 'test|real' "the marker"
expect 0 backup-db -e test
# A dump of prod in the place of test is still test's.
cp prod.db dump.db
expect 0 restore-db -e test -f dump.db
is "$(marker clone.db)" 'test|real' "the marker after a restore of another's dump"
has_rows clone.db 9
expect 0 restore-db -e test --undo
is "$(marker clone.db)" 'test|real' "the marker after the undo"

# The marker survives a restore, also of a backup that is older than it.
approved restore-db -e prod "$marked"
is "$(marker prod.db)" 'prod|real' "the marker after a restore"
approved restore-db -e prod "$unmarked"
is "$(marker prod.db)" 'prod|real' "the marker after a restore of a backup without one"
has_rows prod.db 9
expect 0 restore-db -e prod "$unmarked" --to sqlite:plain.db
is "$(sqlite3 plain.db "SELECT count(*) FROM sqlite_schema WHERE name = 'holdfast_marker'")" 0 "markers that nobody asked for"
# Over another environment's marker, only with an approval; what nobody understands is no marker to go on with.
expect 4 backup-guard mark-env dev prod.db
says 'prod'
is "$(marker prod.db)" 'prod|real' "the marker"
sqlite3 dev.db "INSERT INTO holdfast_marker SELECT 'x', 'real', marked_at FROM holdfast_marker"
expect 4 backup-db -e dev
expect 4 backup-guard mark-env dev
approved backup-guard mark-env dev
is "$(marker dev.db)" 'dev|real' "the marker"
expect 0 backup-db -e dev
# A command that spoils the marker would lead the next run astray: its migration goes back, and its tests are a leak.
for sql in 'DROP TABLE holdfast_marker' 'DELETE FROM holdfast_marker' "UPDATE holdfast_marker SET environment = 'prod'"; do
    expect 123 safe-migrate -e dev -- sqlite3 dev.db "$sql; CREATE TABLE fresh (id)"
    says 'the database '
    says 'rolled back to'
    is "$(marker dev.db)" 'dev|real' "the marker after $sql"
    is "$(sqlite3 dev.db "SELECT count(*) FROM sqlite_schema WHERE name = 'fresh'")" 0 "what came along with $sql"
done
expect 122 safe-db-test -e dev --on-leak restore -- sqlite3 "$PWD/dev.db" 'DROP TABLE holdfast_marker'
is "$(marker dev.db)" 'dev|real' "the marker after tests"
nothing_left
