# shellcheck shell=bash disable=SC2154,SC2034 # it shares its variables with `run`
# What very many backups cost: one real backup, copied BENCH_BACKUPS times with an id and a time of its own each.

part_catalog() {
	local store=$bench/data/catalog-$backups tab=$'\t' each
	export HOLDFAST_STATE_DIR="$bench/data/catalog-$backups-state"
	if [ ! -e "$store/whole" ]; then
		note "making $backups backups in $store"
		rm -rf "$store" "$HOLDFAST_STATE_DIR"
		mkdir -p "$store" "$HOLDFAST_STATE_DIR"
		python3 -c 'import sqlite3; sqlite3.connect("'"$store/app.db"'").executescript("CREATE TABLE t (a); INSERT INTO t VALUES (1)")'
		# Ten are due: what retention does every hour, and no mass deletion.
		printf '%s\n' "store = \"$store/backups\"" '[env.prod]' "database = \"sqlite:$store/app.db\"" '[env.prod.retention]' \
			"keep_last = $((backups - 10))" >"$store/holdfast.toml"
		chmod 600 "$store/holdfast.toml"
		"$BENCH_BIN/backup-db" -c "$store/holdfast.toml" -e prod --no-prune >/dev/null
		python3 "$here/many.py" "$store/backups" prod "$backups"
		: >"$store/whole"
		sleep 4 # what has just changed is read anew each time
	fi
	local -a cases=() with=(-c "$store/holdfast.toml" -e prod)
	for each in "backup-catalog list" "backup-catalog list --limit 10" "restore-db latest -n" "backup-catalog prune -n"; do
		# shellcheck disable=SC2086 # words
		set -- $each
		cases+=(--case "$each" "$(IFS=$tab && echo "$BENCH_BIN/$*${tab}${with[*]}")" --reach-ms "$each" 1000)
	done
	measure "A store of $backups backups" --starts "${cases[@]}"
	export HOLDFAST_STATE_DIR="$bench/state"
}
