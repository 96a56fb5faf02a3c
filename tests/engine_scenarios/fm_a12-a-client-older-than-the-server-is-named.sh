# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
# engines: postgres; mariadb-dump reads servers of any age (fm_a36)
. "$WORDS"
make_ledger
# Old and new together: the one that fits is taken.
make_old_client "$PWD/old"
config "pg_bin = [\"$PWD/old\"]" '[env.dev]' "database = \"$URL\""
expect 0 backup-db
lacks "$(newest)/manifest.json" "$DUMP_PROGRAM $OLD_VERSION"

# The old one alone. Hiding the others takes a mount namespace.
if ! unshare -m true 2>/dev/null; then
    echo "NOT RUN: without a mount namespace no old client can be had alone"
    exit 0
fi
expect 1 unshare -m sh -c "mount --bind '$PWD/old' '$SERVER_PROGRAMS' && exec backup-db"
holds err "$DUMP_PROGRAM $OLD_VERSION cannot dump server"
holds err "$DB"
holds err 'hint: install'
is "$(backups)" 1
nothing_staged
