# shellcheck shell=bash disable=SC2154,SC2034 # it shares its variables with `run`
# shellcheck disable=SC2016 # the commands are expanded by the shell that measure.py runs them in
# What safe-migrate and safe-db-test cost around a command that does nothing, and how soon a clone is ready.

part_wrappers() {
	sqlite_ledger
	local fresh='rm -rf "$HOLDFAST_STATE_DIR"'
	local proof='"$BENCH_BIN"/backup-db "sqlite:$LEDGER" --store "$OUT/store" --verify restore --no-prune'
	local migrate='"$BENCH_BIN"/safe-migrate "sqlite:$LEDGER" --store "$OUT/store" -- true'
	local tests='"$BENCH_BIN"/safe-db-test "sqlite:$LEDGER" --store "$OUT/store" -- true'
	measure "Around a command, SQLite, $(mb_of "$LEDGER") MB" --no-stored \
		--case 'a backup and its proof' "$proof" --before 'a backup and its proof' "$fresh" \
		--case 'safe-migrate -- true' "$migrate" --before 'safe-migrate -- true' "$fresh" \
		--case 'safe-db-test -- true' "$tests" --before 'safe-db-test -- true' "$fresh" \
		--reach 'safe-migrate -- true' 'a backup and its proof' 1.30 \
		--reach 'safe-db-test -- true' 'a backup and its proof' 1.30

	clone_beside "SQLite clone, $(mb_of "$LEDGER") MB" "sqlite:$LEDGER" 'sqlite3 "$LEDGER" ".backup '\''$OUT/ledger.db'\''"' 1.50
	if have initdb; then
		start_cluster
		psql -Xqc 'DROP DATABASE IF EXISTS small' -c 'CREATE DATABASE small' "$(pg_url postgres)"
		psql -Xqc 'CREATE TABLE entry AS SELECT g AS id, md5(g::text) AS memo FROM generate_series(1, 5000) g' "$(pg_url small)"
		clone_upon_load 'PostgreSQL clone of a small database' "$(pg_url small)" 1000
	else
		note 'not installed, its row is left out: initdb'
	fi
}

# clone_ms SOURCE FIELD: runs safe-db-test once, and gives a duration of its manifest. `rehearsal` is all that it takes until
# the clone is ready and proven: load, check, comparison; `restore` is the load alone.
clone_ms() {
	rm -rf "${OUT:?}/store" "${HOLDFAST_STATE_DIR:?}/stores"
	"$BENCH_BIN/safe-db-test" "$1" --store "$OUT/store" -- true >&2 || return
	python3 - "$OUT"/store/dev/*/manifest.json "$2" <<-'PYTHON'
		import json, sys
		durations = json.load(open(sys.argv[1]))["durations_ms"]
		print(durations["rehearsal"] - (durations["restore"] if sys.argv[2] == "upon" else 0))
	PYTHON
}

median() { sort -n | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'; }

# verdict NAME REACH GOT: a line among the targets.
verdict() {
	local word=ok
	awk -v got="$3" -v reach="$2" 'BEGIN { exit !(got > reach) }' && word=MISSED
	printf '%-62s  reach %6s  got %6s  %s\n' "$1" "$2" "$3" "$word" >>"$bench/reach.txt"
}

# clone_beside TITLE SOURCE PEER RATIO: in turn with a peer that copies the same database.
clone_beside() {
	local round begun ours=() peer=()
	mkdir -p "$OUT"
	for ((round = 0; round < rounds; round++)); do
		rm -f "$OUT/ledger.db"
		begun=$(date +%s%N)
		sh -c "$3"
		peer+=($((($(date +%s%N) - begun) / 1000000)))
		rm -f "$OUT/ledger.db"
		ours+=("$(clone_ms "$2" whole)") || { failed=1; return; }
	done
	local ours_ms peer_ms
	ours_ms=$(printf '%s\n' "${ours[@]}" | median)
	peer_ms=$(printf '%s\n' "${peer[@]}" | median)
	printf '\n%s: ready and proven after %s ms (%s), .backup %s ms (%s)\n' "$1" "$ours_ms" "${ours[*]}" "$peer_ms" "${peer[*]}"
	verdict "$1 / .backup: wall" "$4" "$(awk -v a="$ours_ms" -v b="$peer_ms" 'BEGIN { printf "%.2f", a / b }')"
}

# clone_upon_load TITLE SOURCE MS: what a clone takes beside its load.
clone_upon_load() {
	local round first ours=()
	mkdir -p "$OUT"
	# The first of a machine makes the files that every private server begins with; later ones copy them.
	rm -rf "${HOLDFAST_STATE_DIR:?}"
	first=$(clone_ms "$2" upon) || { failed=1; return; }
	for ((round = 0; round < rounds; round++)); do
		ours+=("$(clone_ms "$2" upon)") || { failed=1; return; }
	done
	local ours_ms
	ours_ms=$(printf '%s\n' "${ours[@]}" | median)
	printf '\n%s: ready and proven %s ms (%s) after its load, the first of the machine %s ms\n' "$1" "$ours_ms" "${ours[*]}" "$first"
	verdict "$1: ms" "$3" "$ours_ms"
}
