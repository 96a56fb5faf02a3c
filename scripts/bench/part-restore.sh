# shellcheck shell=bash disable=SC2154,SC2034 # it shares its variables with `run`
# shellcheck disable=SC2016 # the commands are expanded by the shell that measure.py runs them in
# Restores: SQLite to a path where nothing is and over a database, PostgreSQL into a database.

part_restore() {
	restore_sqlite
	restore_postgres
}

# keep_backup SOURCE COMPRESSION: makes a backup of ours into the part's store and prints its id.
keep_backup() {
	local line
	line=$("$BENCH_BIN/backup-db" "$1" --store "$KEPT/store" --verify structure --no-prune --compression "$2") || return
	printf '%s' "${line%%$'\t'*}"
}

# kept SOURCE: sets GZIP_ID and ZSTD_ID, or says that ours cannot be measured.
kept() {
	if GZIP_ID=$(keep_backup "$1" gzip) && ZSTD_ID=$(keep_backup "$1" zstd) && [ -n "$GZIP_ID" ] && [ -n "$ZSTD_ID" ]; then
		export GZIP_ID ZSTD_ID
	else
		note "backup-db failed: the restores of $1 are not measured"
		failed=1
		return 1
	fi
}

empty_kept() {
	rm -rf "${KEPT:?}" "${HOLDFAST_STATE_DIR:?}"
	mkdir -p "$KEPT"
}

restore_sqlite() {
	sqlite_ledger
	export ENTRIES=$entries
	empty_kept
	sqlite3 "$LEDGER" ".backup '$KEPT/ledger.db'"
	gzip -c "$KEPT/ledger.db" >"$KEPT/ledger.db.gz"
	zstd -q -T0 --rm "$KEPT/ledger.db" -o "$KEPT/ledger.db.zst"
	kept "sqlite:$LEDGER" || return 0

	local ours='"$BENCH_BIN"/restore-db --store "$KEPT/store" -e dev --no-safety-backup --to "sqlite:$OUT/ledger.db"'
	local whole='test "$(sqlite3 "$OUT/ledger.db" "SELECT count(*) FROM entry")" = "$ENTRIES"'
	local present='cp --reflink=never "$LEDGER" "$OUT/ledger.db"'
	local unzstd='zstd -q -d -f "$KEPT/ledger.db.zst" -o "$OUT/ledger.db"'
	local gunzip='gzip -d -c "$KEPT/ledger.db.gz" >"$OUT/ledger.db"'

	measure "SQLite restore, $(mb_of "$LEDGER") MB, to a path where nothing is" --no-stored \
		--case 'zstd -d' "$unzstd" --after 'zstd -d' "$whole" \
		--case 'gunzip' "$gunzip" --after 'gunzip' "$whole" \
		--case 'restore-db, gzip' "$ours \"\$GZIP_ID\"" --after 'restore-db, gzip' "$whole" \
		--case 'restore-db, zstd' "$ours \"\$ZSTD_ID\"" --after 'restore-db, zstd' "$whole" \
		--reach 'restore-db, gzip' 'zstd -d' 1.50 \
		--reach 'restore-db, zstd' 'zstd -d' 1.00

	# zstd -d over a live database corrupts it for whoever has it open; `.restore` is the safe way that sqlite3 has.
	local beside='zstd -q -d "$KEPT/ledger.db.zst" -o "$OUT/new.db"; sqlite3 "$OUT/ledger.db" ".restore '\''$OUT/new.db'\''"; rm "$OUT/new.db"'
	measure "SQLite restore, $(mb_of "$LEDGER") MB, over a database" --no-stored \
		--case 'zstd -d -f' "$unzstd" --before 'zstd -d -f' "$present" --after 'zstd -d -f' "$whole" \
		--case 'zstd -d + .restore' "$beside" --before 'zstd -d + .restore' "$present" --after 'zstd -d + .restore' "$whole" \
		--case 'restore-db over, gzip' "$ours \"\$GZIP_ID\"" --before 'restore-db over, gzip' "$present" \
		--after 'restore-db over, gzip' "$whole" \
		--case 'restore-db over, zstd' "$ours \"\$ZSTD_ID\"" --before 'restore-db over, zstd' "$present" \
		--after 'restore-db over, zstd' "$whole" \
		--reach 'restore-db over, gzip' 'zstd -d -f' 1.50 \
		--reach 'restore-db over, zstd' 'zstd -d -f' 1.00
}

restore_postgres() {
	start_cluster
	postgres_ledger
	export ENTRIES=$entries
	empty_kept
	pg_dump "$PG_URL" | gzip >"$KEPT/ledger.sql.gz"
	kept "$PG_URL" || return 0
	PG_ADMIN=$(pg_url postgres)
	PG_TARGET=$(pg_url restored)
	export PG_ADMIN PG_TARGET

	# An empty database to restore into, all that earlier runs left taken away, and nothing left for a checkpoint.
	local fresh='psql -XAtc "SELECT format('\''DROP DATABASE %I;'\'', datname) FROM pg_database WHERE datname LIKE '\''restored%'\''" "$PG_ADMIN" |
		psql -Xq -v ON_ERROR_STOP=1 "$PG_ADMIN"; psql -Xq -v ON_ERROR_STOP=1 -c "CREATE DATABASE restored" -c CHECKPOINT "$PG_ADMIN"'
	local whole='test "$(psql -XAtc "SELECT count(*) FROM entry" "$PG_TARGET")" = "$ENTRIES"'
	local ours='"$BENCH_BIN"/restore-db --store "$KEPT/store" -e dev --no-safety-backup --to "$PG_TARGET"'
	measure 'PostgreSQL restore, into an empty database' --no-stored --server "$postmaster" \
		--case 'gunzip | psql' 'gzip -d -c "$KEPT/ledger.sql.gz" | psql -Xq -v ON_ERROR_STOP=1 "$PG_TARGET"' \
		--before 'gunzip | psql' "$fresh" --after 'gunzip | psql' "$whole" \
		--case 'restore-db, gzip' "$ours \"\$GZIP_ID\"" --before 'restore-db, gzip' "$fresh" --after 'restore-db, gzip' "$whole" \
		--case 'restore-db, zstd' "$ours \"\$ZSTD_ID\"" --before 'restore-db, zstd' "$fresh" --after 'restore-db, zstd' "$whole" \
		--reach 'restore-db, gzip' 'gunzip | psql' 1.10 \
		--reach 'restore-db, zstd' 'gunzip | psql' 1.10
}
