#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

config '[env.dev]' 'database = "app.db"' '[env.short]' 'database = "app.db"' 'command_timeout = "1s"'
ledger app.db 10
before=$(content app.db)
expect 124 safe-migrate -e dev --timeout 1s -- sh -c 'sqlite3 app.db "DELETE FROM entry"; sleep 60'
says 'the command ran out of time; rolled back to 20'
is "$(content app.db)" "$before" "what the database holds"
expect 124 safe-migrate -e short -- sh -c 'sleep 60 & wait'
says 'the command ran out of time; the database is exactly as it was before'
expect 124 safe-db-test -e short -- sh -c 'sqlite3 {path} "DELETE FROM entry"; sleep 60'
says 'the tests ran out of time'
expect 124 safe-db-test -e short --in-place -- sh -c 'sqlite3 app.db "DELETE FROM entry"; sleep 60'
is "$(content app.db)" "$before" "what the database holds"
# One that ends as it is asked to, with status 0, has not succeeded; nor has one in a rehearsal.
expect 124 safe-migrate -e short -- sh -c 'trap "exit 0" TERM; sqlite3 app.db "INSERT INTO entry (cents) VALUES (1)"; sleep 60 & wait'
says 'rolled back to 20'
expect 124 safe-migrate -e short --rehearse -- sh -c 'trap "exit 0" TERM; sqlite3 {path} "INSERT INTO entry (cents) VALUES (1)"; sleep 60 & wait'
says 'the rehearsal ran out of time'
is "$(content app.db)" "$before" "what the database holds"
# Nothing keeps it alive: neither a deaf ear, nor a process in a session of its own.
expect 124 safe-migrate -e short -- sh -c 'setsid sh -c "trap \"\" TERM; echo \$\$ >daemon; while :; do sleep 1; done" & trap "" TERM
    sqlite3 app.db "DELETE FROM entry"; while :; do sleep 1; done'
says 'rolled back to 20'
is "$(content app.db)" "$before" "what the database holds"
! kill -0 "$(cat daemon)" 2>/dev/null || wrong "the daemon lives"
nothing_stands
nothing_left
