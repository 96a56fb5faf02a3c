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
[ "$won" -ge 1 ] || wrong "no run worked"
is "$(count)" $((before + won)) "backups"
nothing_left

# While one is at it, all others are turned away, and told by whom.
before=$(count)
halted backup-db app.db
for _ in 1 2 3 4 5; do
    expect 5 backup-db app.db
    says "dev is busy: held by backup-db, pid $VICTIM, since"
    says '--wait'
    prints_nothing
done
# Another environment waits for nobody.
expect 0 backup-db app.db -e test
kill -CONT "$VICTIM"
wait "$VICTIM"
is "$(count)" $((before + 1)) "backups"
nothing_left

# Those that wait all get their turn.
before=$(count)
for n in 1 2 3; do { STATUS=0; backup-db app.db --wait 60s >/dev/null 2>"$SAID/err.$n" || STATUS=$?; echo $STATUS >"$SAID/status.$n"; } & done
wait
is "$(cat "$SAID/status.1" "$SAID/status.2" "$SAID/status.3" | sort -u)" 0 "statuses of those that waited"
is "$(count)" $((before + 3)) "backups"

all_verify -q
