# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
# engines: postgres; an administrator of MariaDB can end whatever stands in the way of a swap
. "$WORDS"
make_ledger
config '[env.dev]' "database = \"$URL\""
before=$(picture)
make_program stuck "sql 'DELETE FROM entry WHERE id > 10'; hold_swap_up; exit 7"
expect 121 client_env safe-migrate -e dev --report report.json -- ./stuck
holds err 'NOT rolled back'
holds err "$SWAP_HINT"
holds err --resume
is "$(told '.state.state + " " + (.command_status | tostring)')" 'unknown 7'
is "$(rows_of entry)" 10
nothing_beside
nothing_staged
let_swap_go
expect 0 safe-migrate -e dev --resume
[ "$(picture)" = "$before" ] || wrong "it did not come back as it was"
is "$(failed_rows "$(kept_aside)" entry)" 10
nothing_stands
nothing_beside
