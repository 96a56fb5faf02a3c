# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
. "$WORDS"
make_ledger 2000
total=$(total_in "$DB")
for number in 1 2 3 4; do transfer "$number" & done
for number in 1 2 3 4 5; do expect 0 backup-db "$URL"; done
: >stop
wait
is "$(total_in "$DB")" "$total"
is "$(backups)" 5
number=0
for folder in "$STORE"/dev/*; do
    number=$((number + 1))
    expect 0 restore-db "$(basename "$folder")" --to "$(url "${DB}_copy$number")"
    is "$(total_in "${DB}_copy$number")" "$total" "$folder"
done
# The amounts did move meanwhile.
[ "$(spread_in "${DB}_copy1")" != "$(spread_in "${DB}_copy5")" ] || wrong "nothing has moved between the backups"
