#!/bin/sh
# shellcheck disable=SC2015 # both end it
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"
# shellcheck source=tests/scenarios/interrupted.sh
. "$SCENARIOS/interrupted.sh"

# At moments no step knows: in the middle of the command, inside SQLite. HOLDFAST_SOAK=1 makes it a long test.
kills=50
[ -z "${HOLDFAST_SOAK:-}" ] || kills=2000
echo "seed $SEED" >&2
config '[env.dev]' 'database = "app.db"'
ledger app.db 50
cp app.db before.db
before=$(content app.db)
cat >migrate <<'END'
#!/bin/sh
# Statements that each commit, with a pause in between; ends with the status it is given.
for n in 1 2 3 4 5; do
    sqlite3 app.db "CREATE TABLE t$n AS SELECT id, $n AS n FROM entry; UPDATE entry SET cents = cents + $n; INSERT INTO entry (cents) VALUES ($n)" || exit 9
    sleep 0.01
done
exit "$1"
END
chmod 755 migrate
./migrate 0
after=$(content app.db)
# How long a whole run takes here, in ms; the kills fall into that time.
cp before.db app.db
begin=$(date +%s%N)
expect 0 safe-migrate -e dev -- ./migrate 0
lasts=$((($(date +%s%N) - begin) / 1000000 + 20))
is "$(content app.db)" "$after" "what a whole run leaves"

stood=0
changed=0
round=0
while [ "$round" -lt "$kills" ]; do
    round=$((round + 1))
    rm -f app.db app.db?*
    cp before.db app.db
    status=$(($(random 2) * 3))
    whole=$(random 2)
    # In a session of its own, so that all of it can be killed at once.
    setsid safe-migrate -e dev -- ./migrate $status >"$OUT" 2>"$ERR" &
    victim=$!
    after_ms=$(random $lasts)
    sleep "$((after_ms / 1000)).$(printf '%03d' $((after_ms % 1000)))"
    if [ "$whole" = 1 ]; then
        kill -9 "-$victim" 2>/dev/null || :
    else
        kill -9 "$victim" 2>/dev/null || :
    fi
    wait "$victim" 2>/dev/null || :
    keeps=yes
    [ "$status" = 0 ] || keeps=no
    truthful safe-migrate $keeps "kill $round, after $after_ms ms, of a command that ends with $status"
    [ "$STOOD" = no ] || stood=$((stood + 1))
    [ "$found" = "$before" ] || changed=$((changed + 1))
done
echo "$stood of $kills were interrupted in the middle, $changed left something" >&2
[ "$stood" -gt 2 ] && [ "$changed" -gt 2 ] || wrong "only $stood kills left an interrupted run, and only $changed a change"
expect 0 safe-migrate -e dev -- true
nothing_left
all_verify -q -e dev
