# shellcheck shell=bash disable=SC2154,SC2034 # it shares its variables with `run`
# The data: accounts and their entries, with two indexes. Both engines compute the same rows from the row number alone,
# so every machine measures the same bytes.

# Rows a million bytes of a SQLite file hold, and of a server's plain dump. Measured, not derived.
sqlite_rows_per_mb=7200
postgres_rows_per_mb=11300
mariadb_rows_per_mb=9600
accounts=20000

# Three numbers below 2^31 that look random, from the row number i: linear steps modulo different primes. All
# intermediate values stay below 2^63 for every i below 2^32. No two columns print the same digits of one number: a
# compressor would find them.
mixed='SELECT i, a, b, (b * 22695477 + 1) % 2147483587 AS c FROM (
	SELECT i, a, (a * 1664525 + 1013904223) % 2147483629 AS b FROM (
		SELECT i, (i * 1103515245 + 12345) % 2147483647 AS a FROM n) AS first) AS second'

currency="CASE i % 3 WHEN 0 THEN 'EUR' WHEN 1 THEN 'USD' ELSE 'GBP' END"

# memo HEX: a fifth has none, the others are words with a number; HEX is the engine's way to ten hexadecimal digits.
memo() {
	printf '%s' "CASE c % 5 WHEN 0 THEN 'monthly rent payment'
		WHEN 1 THEN 'card purchase at store ' || (b % 5000)
		WHEN 2 THEN 'salary transfer ' || (a % 900) || ' from employer'
		WHEN 3 THEN NULL ELSE 'refund of order ' || $1 || ' after complaint' END"
}

# Builds it once and keeps it, under its own size's name. Sets LEDGER and entries.
sqlite_ledger() {
	entries=$((size_mb * sqlite_rows_per_mb))
	export LEDGER="$bench/data/ledger-$size_mb.sqlite"
	if [ ! -f "$LEDGER" ]; then
		note "building a SQLite ledger of $entries entries"
		local new="$LEDGER.new"
		rm -f "$new" "$new"-*
		sqlite3 -bail "$new" >/dev/null <<-SQL
			PRAGMA journal_mode = WAL;
			PRAGMA synchronous = OFF;
			CREATE TABLE account(id INTEGER PRIMARY KEY, name TEXT NOT NULL, currency TEXT NOT NULL, opened TEXT NOT NULL);
			CREATE TABLE entry(id INTEGER PRIMARY KEY, account_id INTEGER NOT NULL REFERENCES account(id),
				booked_at TEXT NOT NULL, amount_cents INTEGER NOT NULL, currency TEXT NOT NULL, reference TEXT NOT NULL, memo TEXT);
			WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $accounts)
			INSERT INTO account SELECT i, 'Account ' || i || ' ' || printf('%08X', b), $currency,
				date('2015-01-01', '+' || (i % 3000) || ' days') FROM ($mixed);
			WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $entries)
			INSERT INTO entry SELECT i, b % $accounts + 1, datetime('2020-01-01', '+' || (i * 37 % 157680000) || ' seconds'),
				a % 20000001 - 10000000, $currency, 'INV-' || printf('%06X%06X', b % 16777216, c % 16777216),
				$(memo "printf('%05X%05X', a % 1048576, c / 2048 % 1048576)") FROM ($mixed);
			CREATE INDEX entry_account ON entry(account_id, booked_at);
			CREATE INDEX entry_reference ON entry(reference);
			PRAGMA wal_checkpoint(TRUNCATE);
		SQL
		mv "$new" "$LEDGER"
	fi
	printf '\nSQLite ledger: %s entries, %s MB\n' "$entries" "$(mb_of "$LEDGER")"
}

# Builds the database `ledger` on the private server and sets entries and PG_URL. Says how large its plain dump is.
postgres_ledger() {
	entries=$((size_mb * postgres_rows_per_mb))
	PG_URL=$(pg_url ledger)
	export PG_URL
	if [ "$(psql -XAtc "SELECT count(*) FROM pg_database WHERE datname = 'ledger'" "$(pg_url postgres)")" = 0 ]; then
		note "building a PostgreSQL ledger of $entries entries"
		psql -Xqc 'CREATE DATABASE ledger' "$(pg_url postgres)"
		psql -Xq -v ON_ERROR_STOP=1 "$PG_URL" <<-SQL
			CREATE TABLE account(id bigint PRIMARY KEY, name text NOT NULL, currency text NOT NULL, opened date NOT NULL);
			CREATE TABLE entry(id bigint PRIMARY KEY, account_id bigint NOT NULL REFERENCES account(id),
				booked_at timestamp NOT NULL, amount_cents bigint NOT NULL, currency text NOT NULL, reference text NOT NULL, memo text);
			WITH n(i) AS (SELECT generate_series(1::bigint, $accounts))
			INSERT INTO account SELECT i, 'Account ' || i || ' ' || lpad(upper(to_hex(b)), 8, '0'), $currency,
				date '2015-01-01' + (i % 3000)::int FROM ($mixed) AS mixed;
			ALTER TABLE entry DROP CONSTRAINT entry_account_id_fkey, DROP CONSTRAINT entry_pkey;
			WITH n(i) AS (SELECT generate_series(1::bigint, $entries))
			INSERT INTO entry SELECT i, b % $accounts + 1, timestamp '2020-01-01' + (i * 37 % 157680000) * interval '1 second',
				a % 20000001 - 10000000, $currency,
				'INV-' || lpad(upper(to_hex(b % 16777216)), 6, '0') || lpad(upper(to_hex(c % 16777216)), 6, '0'),
				$(memo "lpad(upper(to_hex(a % 1048576)), 5, '0') || lpad(upper(to_hex(c / 2048 % 1048576)), 5, '0')")
				FROM ($mixed) AS mixed;
			ALTER TABLE entry ADD PRIMARY KEY (id), ADD FOREIGN KEY (account_id) REFERENCES account(id);
			CREATE INDEX entry_account ON entry(account_id, booked_at);
			CREATE INDEX entry_reference ON entry(reference);
			VACUUM ANALYZE;
			CHECKPOINT;
		SQL
	fi
	printf '\nPostgreSQL ledger: %s entries, %s MB in the server, %s MB as a plain dump\n' "$entries" \
		"$(psql -XAtc "SELECT round(pg_database_size('ledger') / 1e6, 1)" "$PG_URL")" \
		"$(pg_dump "$PG_URL" | wc -c | awk '{ printf "%.1f", $1 / 1e6 }')"
}

mb_of() { stat -c %s "$1" | awk '{ printf "%.1f", $1 / 1e6 }'; }
