#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

big_ledger app.db 20
expect 0 backup-db app.db
before=$(count)
for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    { STATUS=0; backup-db app.db >"$SAID/out.$n" 2>"$SAID/err.$n" || STATUS=$?; echo $STATUS >"$SAID/status.$n"; } &
done
wait
won=$(cat "$SAID"/status.* | grep -cx 0)
lost=$(cat "$SAID"/status.* | grep -cx 5)
is $((won + lost)) 20 "runs that ended with 0 or 5"
if [ "$won" -lt 1 ] || [ "$lost" -lt 1 ]; then wrong "$won runs worked, $lost were turned away"; fi
is "$(count)" $((before + won)) "backups"
grep -q 'dev is busy: held by backup-db, pid [0-9]*, since' "$SAID"/err.* || wrong "nobody said who holds the lock"
nothing_left

# Those that wait all get their turn.
before=$(count)
for n in 1 2 3; do { STATUS=0; backup-db app.db --wait 60s >/dev/null 2>"$SAID/err.$n" || STATUS=$?; echo $STATUS >"$SAID/status.$n"; } & done
wait
is "$(cat "$SAID/status.1" "$SAID/status.2" "$SAID/status.3" | sort -u)" 0 "statuses of those that waited"
is "$(count)" $((before + 3)) "backups"

# Two environments do not wait for each other; a restore holds its target, by whatever name it is called.
backup-db app.db >/dev/null 2>&1 &
wait_for "a staging folder" sh -c 'ls -d backups/.staging-*'
expect 0 backup-db app.db -e test
wait
nothing_left
all_verify -q
