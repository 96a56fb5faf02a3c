#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

ledger app.db 5
backup-db app.db 0<&- || wrong "stdin closed: status $?"
STATUS=0
backup-db app.db >&- || STATUS=$?
is "$STATUS" 0 "status with stdout closed"
backup-db app.db 2>&- || wrong "stderr closed: status $?"
backup-db app.db 0<&- >&- 2>&- || wrong "all closed: status $?"
is "$(count)" 4 "backups"
restore-db latest 0<&- >&- 2>&- || wrong "a restore with all closed: status $?"
STATUS=0
backup-guard --verify restore 0<&- >&- 2>&- || STATUS=$?
is "$STATUS" 0 "status of the guard with all closed"
# What an error wanted to say went nowhere, and not into the database.
backup-db missing.db 0<&- >&- 2>&- && wrong "a missing database was backed up"
has_rows app.db 5
all_verify -q
nothing_left
