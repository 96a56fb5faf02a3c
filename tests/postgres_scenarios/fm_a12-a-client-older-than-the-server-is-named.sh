# shellcheck shell=sh source=tests/postgres_scenarios/lib.sh
. "$WORDS"
make_ledger
# Old and new together: the one that fits is taken.
mkdir old
fake "$DUMP_PROGRAM" <<'END'
exit 1
END
sed 's/^\[ .*--version.*/[ "$1" != --version ] || { echo "'"$DUMP_PROGRAM"' (PostgreSQL) 9.6.3"; exit; }/' "fakes/$DUMP_PROGRAM" >"old/$DUMP_PROGRAM"
chmod 755 "old/$DUMP_PROGRAM"
config "pg_bin = [\"$PWD/old\"]" '[env.dev]' "database = \"$URL\""
expect 0 backup-db
grep -q '"client_version": "pg_dump 9.6' "$(newest)/manifest.json" && wrong "the old one was taken"

# The old one alone. Hiding the others takes a mount namespace.
if ! unshare -m true 2>/dev/null; then
    echo "NOT RUN: without a mount namespace no old client can be had alone"
    exit 0
fi
mkdir -p versions/9.6/bin
cp -L "$SERVER_PROGRAMS/psql" versions/9.6/bin/
cp "old/$DUMP_PROGRAM" versions/9.6/bin/
expect 1 unshare -m sh -c "mount --bind '$PWD/versions' '${SERVER_PROGRAMS%/*/bin}' && exec backup-db"
holds err "$DUMP_PROGRAM 9.6.3 cannot dump server"
holds err "$DB"
holds err 'hint: install'
is "$(backups)" 1
nothing_staged
