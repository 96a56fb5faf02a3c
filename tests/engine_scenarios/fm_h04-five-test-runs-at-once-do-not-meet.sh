# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh disable=SC2016 # a program is written
. "$WORDS"
make_ledger
config '[env.dev]' "database = \"$URL\""
before=$(picture)
# Each finds all the rows, and deletes its own.
make_program tests 'rows=$(sql_by_variables "DELETE FROM entry WHERE id > 10; SELECT count(*) FROM entry"); sleep 1; [ "$rows" = 10 ] && [ "$(sql_by_variables "INSERT INTO mark SELECT 1; SELECT count(*) FROM mark")" = 2 ] || exit 9'
runs=''
for number in 1 2 3 4 5; do
    safe-db-test -v -e dev --report "report.$number" -- ./tests >"out.$number" 2>"err.$number" </dev/null &
    runs="$runs $!"
done
number=0
for run in $runs; do
    number=$((number + 1))
    status=0
    wait "$run" || status=$?
    [ "$status" = 0 ] || { cat "err.$number" >&2 && wrong "run $number ended with status $status"; }
    holds "err.$number" 'exactly as it was'
done
is "$(jq -r .clone report.? | sort -u | wc -l)" 5 "clones"
is "$(backups)" 5
[ "$(picture)" = "$before" ] || wrong "the real database has changed"
nothing_beside
nothing_staged
