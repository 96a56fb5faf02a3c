# shellcheck shell=bash disable=SC2154,SC2034 # it shares its variables with `run`
# The programs that are measured: where they are, what is missing, which versions.

have() { command -v "$1" >/dev/null 2>&1; }

# need PROGRAM...: adds those that are not there to `missing`, once.
need() {
	local each
	for each in "$@"; do
		have "$each" || [[ " ${missing[*]} " == *" $each "* ]] || missing+=("$each")
	done
}

# Debian's /usr/bin/pg_dump is a Perl script that looks for the real one: it would be charged to the peer. The
# version folder comes first in PATH, so both sides use the same real programs.
find_tools() {
	local each missing=()
	pg_bin=${BENCH_PG_BIN:-}
	if [ -z "$pg_bin" ]; then
		for each in /usr/lib/postgresql/*/bin; do
			if [ ! -x "$each/initdb" ] || [ ! -x "$each/pg_dump" ]; then continue; fi
			if [ -z "$pg_bin" ] || [ "$(printf '%s\n' "$pg_bin" "$each" | sort -V | tail -n 1)" = "$each" ]; then
				pg_bin=$each
			fi
		done
	fi
	[ -z "$pg_bin" ] || export PATH="$pg_bin:$PATH"
	export PATH="$PATH:/usr/sbin:/sbin" # cron's PATH lacks runuser

	need python3 flock
	if wanted sqlite || wanted restore || wanted increments || wanted wrappers; then need sqlite3 gzip zstd; fi
	if wanted files; then need zstd tar; fi
	if wanted postgres || wanted restore || wanted increments; then need gzip zstd initdb pg_ctl pg_dump psql; fi
	if wanted mariadb; then need gzip zstd mariadbd mariadb-install-db mariadb mariadb-dump; fi
	[ ${#missing[@]} -eq 0 ] || die "not installed: ${missing[*]}" \
		'on Debian: apt-get install python3 util-linux sqlite3 gzip zstd postgresql mariadb-server'

	if wanted sqlite || wanted increments || wanted files || wanted startup; then need restic; fi
	if wanted files; then need borg; fi
	if wanted postgres; then need pigz igzip; fi
	if wanted startup; then need sqlite3 pg_dump; fi
	[ ${#missing[@]} -eq 0 ] || note "not installed, their rows are left out: ${missing[*]}"
}

find_ours() {
	if [ -z "${BENCH_BIN:-}" ]; then
		have cargo || die 'cargo is not installed' 'set BENCH_BIN to the folder of our binaries'
		note 'building our binaries (cargo build --release)'
		# shellcheck disable=SC2086 # FEATURES is a list of words, from the Makefile
		(cd "$root" && cargo build --release --quiet --bins ${FEATURES:-})
		BENCH_BIN=${CARGO_TARGET_DIR:-$root/target}/release
	fi
	[ -d "$BENCH_BIN" ] || die "BENCH_BIN is not a folder: $BENCH_BIN"
	BENCH_BIN=$(cd "$BENCH_BIN" && pwd)
	local each
	for each in backup-db restore-db safe-migrate safe-db-test backup-catalog; do
		[ -x "$BENCH_BIN/$each" ] || die "no $each in $BENCH_BIN" 'build it: cargo build --release'
	done
	export BENCH_BIN
}

# The ledger, a copy of it in use, an output, and PostgreSQL's cluster with up to three databases and 1 GB of WAL.
need_space() {
	local free_mb needed_mb=$((size_mb * 10 + 1500))
	free_mb=$(df -Pm "$bench" | awk 'NR == 2 { print $4 }')
	[ "$free_mb" -ge "$needed_mb" ] ||
		die "$free_mb MB free in $bench, $needed_mb MB are needed" 'set BENCH_DIR to another disk, or BENCH_MB to a smaller size'
}

print_machine() {
	local cpu
	cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
	printf 'Holdfast bench, %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
	printf '  %s cores, %s, Linux %s, %s on %s\n' "$(nproc)" "${cpu:-unknown CPU}" "$(uname -r)" \
		"$(df -PT "$bench" | awk 'NR == 2 { print $2 }')" "$(df -P "$bench" | awk 'NR == 2 { print $1 }')"
	printf '  load %s before the start\n' "$(cut -d ' ' -f 1-3 /proc/loadavg)"
	printf '  %s\n' "$("$BENCH_BIN/backup-db" --version 2>&1 | head -n 1) in $BENCH_BIN"
	{
		! have sqlite3 || printf 'sqlite3 %s\n' "$(sqlite3 --version | cut -d ' ' -f 1)"
		! have pg_dump || pg_dump --version
		! have gzip || gzip --version | head -n 1
		! have zstd || zstd --version | grep -o 'v[0-9.]*[0-9]' | sed 's/^/zstd /'
		! have pigz || pigz --version 2>&1
		! have igzip || igzip --version 2>&1 | head -n 1
		! have restic || restic version | cut -d ' ' -f 1-2
	} | sed 's/^/  /'
}
