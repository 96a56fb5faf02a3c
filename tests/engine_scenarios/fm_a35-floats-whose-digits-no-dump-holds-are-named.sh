# shellcheck shell=sh source=tests/engine_scenarios/words/mariadb.sh
# engines: mariadb; pg_dump writes all digits
. "$WORDS"
make_ledger 10
sql "CREATE TABLE rate (id integer PRIMARY KEY, short float, long_ float, money float(10,2), exact double, twice float AS (long_ * 2));
    INSERT INTO rate (id, short, long_, money, exact) VALUES (1, 0.1, 1.5, 2.25, 0.1234567890123456), (2, 1e30, 16777215, 12345678.9, 1e-300)"
config '[env.dev]' "database = \"$URL\""
expect 0 backup-db
holds err 'six digits of a FLOAT'
holds err 'rate.long_ ('
expect 0 backup-catalog show latest --json
holds out 'digits behind the sixth of FLOAT column rate.long_'
for column in rate.short rate.money rate.exact rate.twice; do
    if grep -q "FLOAT column $column" out; then wrong "$column comes back as it was"; fi
done
sql "UPDATE rate SET long_ = 2"
expect 0 backup-db
if grep -q FLOAT err; then wrong "a warning of nothing"; fi
