# shellcheck shell=bash disable=SC2154,SC2034 # it shares its variables with `run`
# shellcheck disable=SC2016 # the commands are expanded by the shell that measure.py runs them in
# MariaDB: a dump of the ledger, its restore, and a clone.

mariadb_home=

# A server says no to root, and to a folder that its user may not enter.
as_mariadb() {
	if [ "$(id -u)" -eq 0 ]; then runuser -u mysql -- "$@"; else "$@"; fi
}

start_mariadb() {
	[ -z "$mariadb_home" ] || return 0
	if [ "$(id -u)" -eq 0 ]; then
		id mysql >/dev/null 2>&1 || die 'there is no user mysql to run MariaDB as' 'install mariadb-server, or run the bench as another user'
	fi
	local place=$bench
	as_mariadb test -x "$bench" || place=/var/tmp
	mariadb_home=$(mktemp -d "$place/mariadb.XXXXXX")
	MARIADB_SOCKET=$(mktemp -d /tmp/holdfast-bench.XXXXXX)/s # a socket's path may have 107 bytes only
	export MARIADB_SOCKET
	if [ "$(id -u)" -eq 0 ]; then chown mysql: "$mariadb_home" "${MARIADB_SOCKET%/s}"; fi
	note "starting a private MariaDB server in $mariadb_home"
	(
		cd /
		as_mariadb mariadb-install-db --no-defaults --datadir="$mariadb_home/data" --tmpdir="$mariadb_home" \
			--auth-root-authentication-method=normal --skip-test-db >"$bench/mariadb-install.log" 2>&1
	) || die "mariadb-install-db failed: $(tail -n 1 "$bench/mariadb-install.log")" "all it said: $bench/mariadb-install.log"
	# Durability stays as it comes.
	(
		cd /
		as_mariadb mariadbd --no-defaults --datadir="$mariadb_home/data" --tmpdir="$mariadb_home" --socket="$MARIADB_SOCKET" \
			--skip-networking --pid-file="$mariadb_home/pid" >"$mariadb_home/log" 2>&1 9>&- &
	)
	local tries
	for ((tries = 0; tries < 300; tries++)); do
		mariadb --no-defaults --socket="$MARIADB_SOCKET" --user=root --execute='SELECT 1' >/dev/null 2>&1 && break
		sleep 0.1
	done
	[ "$tries" -lt 300 ] || die "the private MariaDB server does not start: $(tail -n 1 "$mariadb_home/log")"
	mariadbd_pid=$(cat "$mariadb_home/pid")
	# What both sides call; the other side's programs find the server by it too.
	MARIADB_OPTIONS="$bench/mariadb.cnf"
	printf '[client]\nsocket=%s\nuser=root\n' "$MARIADB_SOCKET" >"$MARIADB_OPTIONS"
	export MARIADB_OPTIONS
}

stop_mariadb() {
	[ -n "$mariadb_home" ] || return 0
	mariadb-admin --no-defaults --socket="$MARIADB_SOCKET" --user=root shutdown >/dev/null 2>&1 || true
	rm -rf "${mariadb_home:?}" "${MARIADB_SOCKET%/s}" "$bench/mariadb.cnf"
	mariadb_home=
}

mariadb_sql() { mariadb --defaults-file="$MARIADB_OPTIONS" --batch --skip-column-names "$@"; }

# Builds the database `ledger`, two fifths of the other engines' size.
mariadb_ledger() {
	entries=$((size_mb * mariadb_rows_per_mb * 2 / 5))
	export ENTRIES=$entries
	export MARIADB_URL="mariadb://root@localhost/ledger?socket=$MARIADB_SOCKET"
	if [ "$(mariadb_sql -e "SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = 'ledger'")" = 0 ]; then
		note "building a MariaDB ledger of $entries entries"
		local numbers="SELECT CAST(seq AS SIGNED) AS i FROM seq_1_to_"
		local rows="$mixed"
		mariadb_sql <<-SQL
			SET sql_mode = 'PIPES_AS_CONCAT', autocommit = 0, unique_checks = 0, foreign_key_checks = 0;
			CREATE DATABASE ledger CHARACTER SET utf8mb4;
			USE ledger;
			CREATE TABLE account(id bigint PRIMARY KEY, name varchar(60) NOT NULL, currency char(3) NOT NULL, opened date NOT NULL);
			CREATE TABLE entry(id bigint PRIMARY KEY, account_id bigint NOT NULL, booked_at datetime NOT NULL, amount_cents bigint NOT NULL,
				currency char(3) NOT NULL, reference varchar(40) NOT NULL, memo varchar(80),
				KEY entry_account (account_id, booked_at), KEY entry_reference (reference), FOREIGN KEY (account_id) REFERENCES account(id));
			INSERT INTO account WITH n(i) AS (${numbers}$accounts)
			SELECT i, 'Account ' || i || ' ' || lpad(hex(b), 8, '0'), $currency, date '2015-01-01' + INTERVAL (i % 3000) DAY FROM ($rows) AS mixed;
			INSERT INTO entry WITH n(i) AS (${numbers}$entries)
			SELECT i, b % $accounts + 1, timestamp '2020-01-01 00:00:00' + INTERVAL (i * 37 % 157680000) SECOND, a % 20000001 - 10000000, $currency,
				'INV-' || lpad(hex(b % 16777216), 6, '0') || lpad(hex(c % 16777216), 6, '0'),
				$(memo "lpad(hex(a % 1048576), 5, '0') || lpad(hex(c DIV 2048 % 1048576), 5, '0')") FROM ($rows) AS mixed;
			COMMIT;
		SQL
		mariadb_sql -e 'ANALYZE TABLE ledger.account, ledger.entry' >/dev/null
	fi
	printf '\nMariaDB ledger: %s entries, %s MB as a plain dump\n' "$entries" \
		"$(mariadb-dump --defaults-file="$MARIADB_OPTIONS" --single-transaction ledger | wc -c | awk '{ printf "%.1f", $1 / 1e6 }')"
}

part_mariadb() {
	start_mariadb
	mariadb_ledger
	mariadb_dumped
	mariadb_restored
	mariadb_cloned
}

mariadb_dumped() {
	local fresh='rm -rf "$HOLDFAST_STATE_DIR"'
	local dump='mariadb-dump --defaults-file="$MARIADB_OPTIONS" --single-transaction --quick --routines --events --hex-blob ledger'
	local ours='"$BENCH_BIN"/backup-db "$MARIADB_URL" --store "$OUT/store" --verify structure --no-prune --compression'
	local published='ls "$OUT"/store/dev/*/manifest.json'
	measure 'MariaDB dump' --server "$mariadbd_pid" \
		--case 'mariadb-dump >/dev/null' "$dump >/dev/null" \
		--case 'mariadb-dump | gzip' "$dump | gzip >\"\$OUT/ledger.sql.gz\"" \
		--case 'mariadb-dump | zstd -T0' "$dump | zstd -q -T0 >\"\$OUT/ledger.sql.zst\"" \
		--case 'backup-db, gzip' "$ours gzip" --before 'backup-db, gzip' "$fresh" --after 'backup-db, gzip' "$published" \
		--case 'backup-db, zstd' "$ours zstd" --before 'backup-db, zstd' "$fresh" --after 'backup-db, zstd' "$published" \
		--reach 'backup-db, gzip' 'mariadb-dump >/dev/null' 1.80 \
		--reach 'backup-db, zstd' 'mariadb-dump >/dev/null' 1.40
}

mariadb_restored() {
	empty_kept
	mariadb-dump --defaults-file="$MARIADB_OPTIONS" --single-transaction ledger | gzip >"$KEPT/ledger.sql.gz"
	kept "$MARIADB_URL" || return 0
	export MARIADB_TARGET="mariadb://root@localhost/restored?socket=$MARIADB_SOCKET"
	local client='mariadb --defaults-file="$MARIADB_OPTIONS" --batch --skip-column-names'
	# An empty database to restore into, and all that earlier runs left taken away.
	local fresh="$client -e \"SELECT CONCAT('DROP DATABASE \\\`', schema_name, '\\\`;') FROM information_schema.schemata WHERE schema_name LIKE 'restored%'\" |
		$client; $client -e 'CREATE DATABASE restored CHARACTER SET utf8mb4'"
	local whole="test \"\$($client -e 'SELECT COUNT(*) FROM restored.entry')\" = \"\$ENTRIES\""
	local ours='"$BENCH_BIN"/restore-db --store "$KEPT/store" -e dev --no-safety-backup --to "$MARIADB_TARGET"'
	measure 'MariaDB restore, into an empty database' --no-stored --server "$mariadbd_pid" \
		--case 'zcat | mariadb' "zcat \"\$KEPT/ledger.sql.gz\" | $client restored" --before 'zcat | mariadb' "$fresh" --after 'zcat | mariadb' "$whole" \
		--case 'restore-db, gzip' "$ours \"\$GZIP_ID\"" --before 'restore-db, gzip' "$fresh" --after 'restore-db, gzip' "$whole" \
		--case 'restore-db, zstd' "$ours \"\$ZSTD_ID\"" --before 'restore-db, zstd' "$fresh" --after 'restore-db, zstd' "$whole" \
		--reach 'restore-db, gzip' 'zcat | mariadb' 1.10 \
		--reach 'restore-db, zstd' 'zcat | mariadb' 1.10
	empty_kept
}

# A clone of a tiny database: what it takes to have a server, and to be rid of it.
mariadb_cloned() {
	mariadb_sql -e 'CREATE DATABASE IF NOT EXISTS tiny; CREATE TABLE IF NOT EXISTS tiny.t(a int PRIMARY KEY); REPLACE INTO tiny.t VALUES (1)'
	export MARIADB_TINY="mariadb://root@localhost/tiny?socket=$MARIADB_SOCKET"
	local ours='"$BENCH_BIN"/backup-db "$MARIADB_TINY" --store "$OUT/store" --new-store --no-prune --verify'
	measure 'MariaDB, a scratch server for a tiny database (the difference is the server)' --no-stored \
		--case 'backup-db --verify structure' "$ours structure" \
		--case 'backup-db --verify restore' "$ours restore"
}
