# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
# engines: postgres mariadb; no dump program writes a backup of SQLite
. "$WORDS"
make_ledger
config "$FAKES_LINE" 'busy_timeout = "1s"' '[env.dev]' "database = \"$URL\""
# The table is asked to change after we lock it, and before the dump program does.
fake "$DUMP_PROGRAM" <<'END'
: >"$HERE/locked"
sleep 0.7
real "$@"
END
(until_true 20 test -e locked; add_column entry later) &
adding=$!
expect 0 timeout 30 backup-db
wait "$adding"
holds "$(newest)/manifest.json" '"rows": 1000'

# A table that somebody keeps locked is an error, and soon.
hold_table entry
expect 1 timeout 40 backup-db
holds err lock
: >release
is "$(backups)" 1
nothing_staged
none_runs || wrong "still running: $(running)"
