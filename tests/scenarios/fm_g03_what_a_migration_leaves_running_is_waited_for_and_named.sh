#!/bin/sh
# shellcheck disable=SC2016,SC2086 # what another shell expands; words
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

config '[env.dev]' 'database = "app.db"'
ledger app.db 10
before=$(content app.db)
ended() { ! kill -0 "$1" 2>/dev/null; }
# left TOOL… -- SQL STATUS: starts a command that leaves a process of a session of its own, and does not wait for it as long as it might.
leaves='sqlite3 app.db "$0"; setsid sleep 60 >/dev/null 2>&1 & echo $! >pid; exit $1'
left() {
    "$@" >"$OUT" 2>"$ERR" </dev/null &
    VICTIM=$!
    wait_for "the wait for what is left" grep -q 'waiting 30 s at most' "$ERR"
    LEFT=$(cat pid)
    # Until it has become `sleep` it is called by the name of the shell that began it.
    wait_for "the process that is left" grep -qx sleep "/proc/$LEFT/comm"
    kill -TERM $VICTIM
    STATUS=0
    wait $VICTIM || STATUS=$?
}
insert='INSERT INTO entry (cents) VALUES (1)'

# What ends in time is only waited for.
expect 0 safe-migrate -v -e dev -- sh -c '(sleep 0.3; sqlite3 app.db "INSERT INTO entry (cents) VALUES (1)") & exit 0'
has_rows app.db 11
nothing_stands
cp app.db eleven.db
before=$(content app.db)

# A command that succeeded: nothing is judged while something may still write.
left safe-migrate -v -e dev --json -- sh -c "$leaves" "$insert" 0
is "$STATUS" 123 "status of a success that left something"
says "the command has left processes that still run: $LEFT (sleep 60)"
says 'safe-migrate -e dev --resume'
is "$(value '.outcome, .left_behind[0].pid, .state.state' | tr '\n' ' ')" "left_running $LEFT unknown " "the report"
for again in 'safe-migrate -e dev -- true' 'safe-db-test -e dev -- true' 'safe-migrate -e dev --resume' 'safe-migrate -e dev --abandon' 'safe-db-test -e dev --in-place -- true'; do
    expect 125 $again
    says "still running on sqlite:$PWD/app.db: $LEFT (sleep 60)"
done
kill "$LEFT"
wait_for "the end of what was left" ended "$LEFT"
expect 125 safe-migrate -e dev -- true
says "an interrupted safe-migrate stands on sqlite:$PWD/app.db"
says 'since then: 1 table changed, 1 rows gained'
expect 125 safe-db-test -e dev --resume
says 'use safe-migrate'
expect 0 safe-migrate -e dev --resume
has_rows app.db 12
nothing_stands
[ ! -e "$(aside)" ] || wrong "something is kept aside"

# One that failed: nothing could be rolled back yet, and that is 121.
cp eleven.db app.db
left safe-migrate -v -e dev -- sh -c "$leaves" "$insert" 4
is "$STATUS" 121 "status of a failure that left something"
has_rows app.db 12
kill "$LEFT"
wait_for "the end of what was left" ended "$LEFT"
expect 0 safe-migrate -e dev --resume
is "$(content app.db)" "$before" "what the database holds"
nothing_stands

# In place the same; beside a clone nothing hangs on it, but it is told.
left safe-db-test -v -e dev --in-place -- sh -c "$leaves" "$insert" 0
is "$STATUS" 121 "status of tests in place that left something"
says "the tests have left processes that still run: $LEFT (sleep 60)"
expect 125 safe-db-test -e dev -- true
says "still running"
expect 125 safe-db-test -e dev --resume
kill "$LEFT"
wait_for "the end of what was left" ended "$LEFT"
expect 125 safe-db-test -e dev -- true
says "an interrupted safe-db-test stands on sqlite:$PWD/app.db"
expect 125 safe-migrate -e dev --resume
says 'use safe-db-test'
expect 0 safe-db-test -e dev --resume
is "$(content app.db)" "$before" "what the database holds"
nothing_stands
left safe-db-test -v -e dev -- sh -c 'setsid sleep 60 >/dev/null 2>&1 & echo $! >pid'
is "$STATUS" 123 "status of tests that left something"
says "the tests have left processes that still run: $LEFT (sleep 60)"
kill "$LEFT"
expect 0 safe-db-test -e dev -- true
nothing_stands
nothing_left
