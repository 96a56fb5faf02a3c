# shellcheck shell=bash disable=SC2154,SC2034 # it shares its variables with `run`
# What a start costs: a program run from cron or in a loop pays it each time.

part_startup() {
	local each tab=$'\t'
	# `true` shows what starting any program costs here.
	local -a cases=(--case 'true' "$(type -P true)")
	if have sqlite3; then cases+=(--case 'sqlite3 --version' "$(type -P sqlite3)$tab--version"); fi
	if have pg_dump; then cases+=(--case 'pg_dump --version' "$(type -P pg_dump)$tab--version"); fi
	if have restic; then cases+=(--case 'restic version' "$(type -P restic)${tab}version"); fi
	for each in backup-db restore-db; do
		cases+=(--case "$each --version" "$BENCH_BIN/$each$tab--version" --reach-ms "$each --version" 3)
	done
	rounds=$starts measure 'Start-up' --starts "${cases[@]}"
}
