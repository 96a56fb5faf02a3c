# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
# engines: postgres mariadb; no dump program writes a backup of SQLite
. "$WORDS"
make_ledger
config "$FAKES_LINE" '[env.dev]' "database = \"$URL\""
fake "$DUMP_PROGRAM" <<'END'
echo 'warning: the moon is full' >&2
real "$@"
END
expect 0 backup-db -q
holds err 'the moon is full'
holds "$(newest)/manifest.json" 'the moon is full'
