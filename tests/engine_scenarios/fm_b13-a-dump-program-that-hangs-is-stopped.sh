# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
# engines: postgres mariadb; no dump program writes a backup of SQLite
. "$WORDS"
make_ledger
config "$FAKES_LINE" 'stall_timeout = "1s"' '[env.dev]' "database = \"$URL\""
fake "$DUMP_PROGRAM" <<'END'
trap '' TERM
real "$@" | head -c 3000
while :; do sleep 0.1; done
END
expect 1 timeout 30 backup-db
holds err "$DUMP_PROGRAM hangs"
holds err stall_timeout
is "$(backups)" 0
nothing_staged
[ -z "$(pgrep -f "$PWD/fakes/$DUMP_PROGRAM")" ] || wrong "it still runs"
# A limit for the run as a whole.
config "$FAKES_LINE" 'timeout = "2s"' '[env.dev]' "database = \"$URL\""
expect 1 timeout 30 backup-db
holds err 'longer than 2 s'
[ -z "$(pgrep -f "$PWD/fakes/$DUMP_PROGRAM")" ] || wrong "it still runs"
nothing_staged
