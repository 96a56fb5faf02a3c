#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

ledger app.db 5
for _ in 1 2 3 4 5 6 7 8 9 10; do
    add_row app.db
    expect 0 at 2020-11-21T12:00:00Z backup-db app.db
    last=$(made)
done
is "$(count)" 10 "backups"
# The last one is the latest, though all names carry the same second.
expect 0 restore-db latest --to sqlite:look.db
prints "$last"
has_rows look.db 15
all_verify -q
nothing_left
