# shellcheck shell=bash disable=SC2154,SC2034 # it shares its variables with `run`
# A private PostgreSQL server: a unix socket that nobody else may enter, no network, gone when the bench ends.

cluster=
sockets=

# PostgreSQL refuses to run as root.
as_server() {
	if [ "$(id -u)" -eq 0 ]; then
		runuser -u postgres -- "$@"
	else
		"$@"
	fi
}

pg_url() { printf 'postgres://postgres@/%s?host=%s' "$1" "$sockets"; }

# A bench that was killed could not tidy up. We hold the lock, so no cluster here is in use.
sweep_clusters() {
	for cluster in "$bench"/cluster.*; do
		sockets=$cluster
		[ ! -d "$cluster" ] || stop_cluster
	done
	cluster=
}

start_cluster() {
	[ -z "$cluster" ] || return 0
	if [ "$(id -u)" -eq 0 ]; then
		id postgres >/dev/null 2>&1 || die 'root cannot run PostgreSQL and there is no user postgres' 'run the bench as another user'
	fi
	# On the same disk as all else where the server's user can get there, else on /var/tmp (/tmp may be in memory).
	local place=$bench
	as_server test -x "$bench" || place=/var/tmp
	cluster=$(mktemp -d "$place/cluster.XXXXXX")
	sockets=$(mktemp -d /tmp/holdfast-bench.XXXXXX) # a socket's path may have 107 bytes only
	if [ "$(id -u)" -eq 0 ]; then chown postgres: "$cluster" "$sockets"; fi

	note "starting a private PostgreSQL server in $cluster"
	(
		cd /
		as_server initdb --pgdata "$cluster/data" --username postgres --auth trust --encoding UTF8 --locale C.UTF-8 \
			>"$bench/initdb.log" 2>&1
	) || die "initdb failed: $(tail -n 1 "$bench/initdb.log")" "all it said: $bench/initdb.log"
	# Durability stays as it comes: fsync, full_page_writes and synchronous_commit are on. Autovacuum is off, since it
	# would start in the middle of one side's run and not of the other's.
	(
		cd /
		as_server pg_ctl --pgdata "$cluster/data" --log "$cluster/log" --wait --silent start --options \
			"-c listen_addresses='' -c unix_socket_directories='$sockets' -c unix_socket_permissions=0700 -c autovacuum=off"
	) 9>&- || die "the private server does not start: $(tail -n 1 "$cluster/log" 2>/dev/null)"
	postmaster=$(head -n 1 "$cluster/data/postmaster.pid")
}

stop_cluster() {
	[ -n "$cluster" ] || return 0
	if [ -e "$cluster/data/postmaster.pid" ]; then
		(cd / && as_server pg_ctl --pgdata "$cluster/data" --wait --silent --mode immediate stop) || true
	fi
	rm -rf "${cluster:?}" "${sockets:?}"
	cluster=
}
