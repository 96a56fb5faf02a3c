# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
# engines: postgres mariadb; no dump program writes a backup of SQLite
. "$WORDS"
make_ledger
config "$FAKES_LINE" '[env.dev]' "database = \"$URL\""
expect 0 backup-db
good=$(newest)
{ partial_dumps; cat; } >scripts <<'END'
exit 0
echo
real "$@" | head -c 500
real "$@" | head -c 20000
real "$@" | head -n 30
real "$@" | head -n -8
real "$@" | tail -n +60
real "$@"; echo; real "$@" | head -c 1000
real "$@"; exit 1
real "$@" >/dev/null
real "$@" 2>&1 >/dev/null
real "$@" | head -c 20000; kill -9 $$
kill -9 $$
kill -15 $$
END
number=0
while read -r script; do
    number=$((number + 1))
    echo "$script" | fake "$DUMP_PROGRAM"
    status=0
    backup-db >out 2>err </dev/null || status=$?
    is "$status" 1 "$script"
    [ ! -s out ] || wrong "$script: stdout says something"
    is "$(backups)" 1 "$script"
    nothing_staged
done <scripts
is "$number" 18
# The last but one was killed as the kernel kills what uses too much memory.
printf '%s\n' 'real "$@" | head -c 20000; kill -9 $$' | fake "$DUMP_PROGRAM"
expect 1 backup-db
holds err "$DUMP_PROGRAM was ended by signal 9"
holds err memory
unfake "$DUMP_PROGRAM"
expect 0 backup-guard --verify structure
is "$(newest)" "$good"
