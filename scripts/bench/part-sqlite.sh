# shellcheck shell=bash disable=SC2154,SC2034 # it shares its variables with `run`
# shellcheck disable=SC2016 # the commands are expanded by the shell that measure.py runs them in
# SQLite: a backup of the ledger.

part_sqlite() {
	sqlite_ledger
	# Every backup of ours is a first one, into an empty store.
	local fresh='rm -rf "$HOLDFAST_STATE_DIR"'
	local ours='"$BENCH_BIN"/backup-db "sqlite:$LEDGER" --store "$OUT/store" --verify structure --no-prune --compression'
	local published='ls "$OUT"/store/dev/*/manifest.json'
	local -a restic=()
	if have restic; then
		# Of the file itself, without the .backup that a live database would need first: the best case for restic.
		# A new repository each time, since a second backup into the same one finds all its data there.
		export RESTIC_PASSWORD=bench
		restic=(
			--case 'restic backup' 'restic --quiet --no-cache --repo "$OUT/restic" backup "$LEDGER"'
			--before 'restic backup' 'restic --quiet --no-cache --repo "$OUT/restic" init'
		)
	fi
	measure "SQLite backup, $(mb_of "$LEDGER") MB" \
		--case 'cp' 'cp --reflink=never "$LEDGER" "$OUT/ledger.db"' \
		--case '.backup + gzip' 'sqlite3 "$LEDGER" ".backup '\''$OUT/ledger.db'\''"; gzip "$OUT/ledger.db"' \
		--case '.backup + zstd -T0' 'sqlite3 "$LEDGER" ".backup '\''$OUT/ledger.db'\''"; zstd -q -T0 --rm "$OUT/ledger.db"' \
		"${restic[@]}" \
		--case 'backup-db, gzip' "$ours gzip" --before 'backup-db, gzip' "$fresh" --after 'backup-db, gzip' "$published" \
		--case 'backup-db, zstd' "$ours zstd" --before 'backup-db, zstd' "$fresh" --after 'backup-db, zstd' "$published" \
		--reach 'backup-db, gzip' '.backup + zstd -T0' 1.00 \
		--reach 'backup-db, zstd' '.backup + zstd -T0' 0.65 \
		--reach-stored 'backup-db, gzip' '.backup + gzip' 1.08 \
		--reach-peak 'backup-db, gzip' "$(peak_mib)" \
		--reach-peak 'backup-db, zstd' "$(peak_mib)"
}

# What memory may be used at most, whatever the size of the database.
peak_mib() { echo $((64 + 16 * $(nproc))); }
