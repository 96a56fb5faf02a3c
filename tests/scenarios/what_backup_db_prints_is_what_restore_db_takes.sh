#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

config '[env.dev]' 'database = "app.db"'
ledger app.db 5
restore-db --to "sqlite:$PWD/x.db" "$(backup-db -e dev)" >"$OUT" 2>"$ERR" || wrong "status $?"
has_rows x.db 5
is "$(find . -maxdepth 1 -name 'x.db*')" ./x.db "what lies beside it"
line=$(backup-db -e dev)
is "$(echo "$line" | wc -l | tr -d ' ')" 1 "lines"
[ -f "$(echo "$line" | cut -f2)/manifest.json" ] || wrong "the second field is no backup"
backup-db -e dev | head -n 1 >"$OUT"
backup-db -e dev | :
restore-db --list | head -n 1 >"$OUT"
expect 0 backup-db -q -e dev
says_nothing
nothing_left
