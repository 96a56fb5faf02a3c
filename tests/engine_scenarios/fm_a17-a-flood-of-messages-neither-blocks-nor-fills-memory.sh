# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
# engines: postgres mariadb; no dump program writes a backup of SQLite
. "$WORDS"
make_ledger
config "$FAKES_LINE" '[env.dev]' "database = \"$URL\""
fake "$DUMP_PROGRAM" <<'END'
head -c 300000000 /dev/zero | tr '\0' 'x' >&2
real "$@"
yes 'a line that is said a million times' | head -n 1000000 >&2
END
# Far less than the flood, but enough for the work itself.
expect 0 sh -c 'ulimit -v 900000 && exec backup-db'
[ "$(wc -c <"$(newest)/manifest.json")" -lt 3000000 ] || wrong "the flood is in the manifest"
expect 0 backup-guard --verify structure
