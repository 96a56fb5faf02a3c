# shellcheck shell=bash disable=SC2154,SC2034 # it shares its variables with `run`
# shellcheck disable=SC2016 # the commands are expanded by the shell that they are run in
# Increments: the second backup of a ledger after 1 % of its rows were updated and 0.5 % inserted, and of one that is as it was.

part_increments() {
	increments_sqlite
	increments_postgres
}

# What a day does to the ledger, from the row numbers alone: 1 % of the rows, evenly spread, and 0.5 % new ones, with references that
# follow each other. Nearly a third of SQLite's pages are then others.
day_of_changes="UPDATE entry SET amount_cents = amount_cents + 1 WHERE id % 100 = 7;
	INSERT INTO entry (id, account_id, booked_at, amount_cents, currency, reference, memo)
		SELECT (SELECT max(id) FROM entry) + 1 + id / 200, account_id % 5000 + 1, booked_at, -amount_cents, currency, 'STORNO-' || (id + 10000000), memo
		FROM entry WHERE id % 200 = 3;"

bytes_in() { du -sb "$1" | cut -f1; }

# one NAME FOLDER COMMAND: runs it, and keeps its wall time and the bytes that the folder has gained.
one() {
	local before begun
	before=$(bytes_in "$2")
	sync
	begun=$(date +%s%N)
	sh -c "$3" >/dev/null || { note "$1 failed"; failed=1; return 1; }
	walls[$1]+="$((($(date +%s%N) - begun) / 1000000)) "
	gains[$1]+="$(($(bytes_in "$2") - before)) "
	printf '%s\t%s\n' "$1" "${walls[$1]##* }" >>"$bench/rounds.tsv"
}

middle() { tr ' ' '\n' <<<"$1" | sed '/^$/d' | median; }

# told TITLE NAME...: a line for each.
told() {
	local each
	printf '\n%s: medians of %s rounds in turns\n' "$1" "$rounds"
	shift
	for each in "$@"; do
		printf '  %-34s  %7s ms  %+14d bytes\n' "$each" "$(middle "${walls[$each]}")" "$(middle "${gains[$each]}")"
	done
}

# against NAME PEER TIME BYTES: the two ratios among the targets; no BYTES where they say nothing.
against() {
	verdict "$1: time / $2" "$3" "$(awk -v a="$(middle "${walls[$1]}")" -v b="$(middle "${walls[$2]}")" 'BEGIN { printf "%.3f", a / b }')"
	[ -z "${4:-}" ] || verdict "$1: bytes / $2" "$4" "$(awk -v a="$(middle "${gains[$1]}")" -v b="$(middle "${gains[$2]}")" 'BEGIN { printf "%.3f", a / b }')"
}

# drop_new: takes the backup away that is not the first, so that each round begins alike.
drop_new() {
	local newest
	newest=$(for each in "$KEPT"/store/dev/*/; do [ ! -e "$each/recover.py" ] || printf '%s\n' "$each"; done)
	[ -z "$newest" ] || rm -rf "$newest"
	rm -rf "${HOLDFAST_STATE_DIR:?}"
}

# rustic's own figures could not be had beside these: in the measurements that the targets come from it took 0.72 times restic's time
# for a changed ledger, 0.89 times for one that is as it was, and as many bytes. The reach is what was set against rustic, in restic's.
increments_sqlite() {
	sqlite_ledger
	have restic || { note 'increments are measured beside restic, which is not installed'; return; }
	empty_kept
	mkdir -p "$OUT"
	export RESTIC_PASSWORD=bench CHANGED="$KEPT/ledger.sqlite" SQLITE="sqlite:$KEPT/ledger.sqlite"
	local round method
	local -A walls=() gains=()
	cp "$LEDGER" "$CHANGED"
	restic --quiet --no-cache --repo "$KEPT/restic" init
	# As a live database has to be given to it: by a copy that is consistent.
	local restic='sqlite3 "$CHANGED" ".backup '\''$KEPT/copy.sqlite'\''"; restic --quiet --no-cache --repo "$KEPT/restic" backup "$KEPT/copy.sqlite"'
	sh -c "$restic"
	local ours='"$BENCH_BIN"/backup-db "$SQLITE" --store "$KEPT/store" --no-prune --type differential --compression'
	for method in zstd gzip; do
		rm -rf "$KEPT/store" "$HOLDFAST_STATE_DIR"
		"$BENCH_BIN"/backup-db "$SQLITE" --store "$KEPT/store" --compression $method >/dev/null
		for ((round = 0; round < rounds; round++)); do
			one "unchanged, backup-db $method" "$KEPT/store" "$ours $method"
			drop_new
			[ $method = gzip ] || one 'unchanged, .backup + restic' "$KEPT/restic" "$restic"
		done
	done
	sqlite3 "$CHANGED" "$day_of_changes" 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
	cp -a "$KEPT/restic" "$KEPT/restic.before"
	for method in gzip zstd; do
		if [ $method = zstd ]; then
			rm -rf "$KEPT/store" "$HOLDFAST_STATE_DIR"
			cp "$LEDGER" "$KEPT/new.sqlite"
			mv "$CHANGED" "$KEPT/changed.sqlite"
			mv "$KEPT/new.sqlite" "$CHANGED"
			"$BENCH_BIN"/backup-db "$SQLITE" --store "$KEPT/store" --compression zstd >/dev/null
			mv "$KEPT/changed.sqlite" "$CHANGED"
		fi
		for ((round = 0; round < rounds; round++)); do
			one "changed, backup-db $method" "$KEPT/store" "$ours $method"
			drop_new
			[ $method = gzip ] || {
				rm -rf "$KEPT/restic"
				cp -a "$KEPT/restic.before" "$KEPT/restic"
				one 'changed, .backup + restic' "$KEPT/restic" "$restic"
			}
		done
	done
	told "SQLite increments, $(mb_of "$LEDGER") MB" 'changed, .backup + restic' 'changed, backup-db zstd' 'changed, backup-db gzip' \
		'unchanged, .backup + restic' 'unchanged, backup-db zstd' 'unchanged, backup-db gzip'
	against 'changed, backup-db zstd' 'changed, .backup + restic' 0.25 0.08
	against 'changed, backup-db gzip' 'changed, .backup + restic' 0.25 0.12
	against 'unchanged, backup-db zstd' 'unchanged, .backup + restic' 0.44
	empty_kept
}

increments_postgres() {
	have restic || return 0
	start_cluster
	postgres_ledger
	empty_kept
	export RESTIC_PASSWORD=bench PG_URL
	local round
	local -A walls=() gains=()
	restic --quiet --no-cache --repo "$KEPT/restic" init
	local restic='pg_dump "$PG_URL" | restic --quiet --no-cache --repo "$KEPT/restic" backup --stdin'
	local ours='"$BENCH_BIN"/backup-db "$PG_URL" --store "$KEPT/store" --no-prune --type differential --compression zstd'
	sh -c "$restic" >/dev/null
	"$BENCH_BIN"/backup-db "$PG_URL" --store "$KEPT/store" --compression zstd >/dev/null
	psql -Xq "$PG_URL" -c "$day_of_changes"
	cp -a "$KEPT/restic" "$KEPT/restic.before"
	for ((round = 0; round < rounds; round++)); do
		one 'PostgreSQL, backup-db zstd' "$KEPT/store" "$ours"
		drop_new
		rm -rf "$KEPT/restic"
		cp -a "$KEPT/restic.before" "$KEPT/restic"
		one 'PostgreSQL, pg_dump | restic' "$KEPT/restic" "$restic"
	done
	told 'PostgreSQL increments' 'PostgreSQL, pg_dump | restic' 'PostgreSQL, backup-db zstd'
	against 'PostgreSQL, backup-db zstd' 'PostgreSQL, pg_dump | restic' 0.60 0.25
	psql -Xq "${PG_URL/ledger/postgres}" -c 'DROP DATABASE ledger'
	empty_kept
}
