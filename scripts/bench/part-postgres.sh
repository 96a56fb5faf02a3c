# shellcheck shell=bash disable=SC2154,SC2034 # it shares its variables with `run`
# shellcheck disable=SC2016 # the commands are expanded by the shell that measure.py runs them in
# PostgreSQL: a dump of the ledger.

part_postgres() {
	start_cluster
	postgres_ledger
	local fresh='rm -rf "$HOLDFAST_STATE_DIR"'
	local ours='"$BENCH_BIN"/backup-db "$PG_URL" --store "$OUT/store" --verify structure --no-prune --compression'
	local published='ls "$OUT"/store/dev/*/manifest.json'
	local -a more=()
	if have pigz; then more+=(--case 'pg_dump | pigz' 'pg_dump "$PG_URL" | pigz >"$OUT/ledger.sql.gz"'); fi
	if have igzip; then more+=(--case 'pg_dump | igzip -1' 'pg_dump "$PG_URL" | igzip -1 >"$OUT/ledger.sql.gz"'); fi
	measure 'PostgreSQL dump' --server "$postmaster" \
		--case 'pg_dump >/dev/null' 'pg_dump "$PG_URL" >/dev/null' \
		--case 'pg_dump | gzip' 'pg_dump "$PG_URL" | gzip >"$OUT/ledger.sql.gz"' \
		--case 'pg_dump | zstd -T0' 'pg_dump "$PG_URL" | zstd -q -T0 >"$OUT/ledger.sql.zst"' \
		--case 'pg_dump -Fc' 'pg_dump -Fc "$PG_URL" >"$OUT/ledger.dump"' \
		"${more[@]}" \
		--case 'backup-db, gzip' "$ours gzip" --before 'backup-db, gzip' "$fresh" --after 'backup-db, gzip' "$published" \
		--case 'backup-db, zstd' "$ours zstd" --before 'backup-db, zstd' "$fresh" --after 'backup-db, zstd' "$published" \
		--reach 'backup-db, gzip' 'pg_dump >/dev/null' 1.80 \
		--reach 'backup-db, zstd' 'pg_dump >/dev/null' 1.50 \
		--reach-stored 'backup-db, gzip' 'pg_dump | gzip' 1.08 \
		--reach-peak 'backup-db, gzip' "$(peak_mib)" \
		--reach-peak 'backup-db, zstd' "$(peak_mib)"
}
