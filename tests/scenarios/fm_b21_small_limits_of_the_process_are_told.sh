#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

ledger app.db 5
big_ledger big.db 3
expect 0 backup-db app.db
good=$(made)
# Files of at most 512 KiB (ulimit counts half kilobytes), then hardly any descriptors.
STATUS=0
(ulimit -f 1024; exec backup-db big.db) >"$OUT" 2>"$ERR" || STATUS=$?
is "$STATUS" 1 "status with ulimit -f"
says "$PWD/backups/.staging"
prints_nothing
for descriptors in 4 5 6 7 8 9 10 11 12; do
    STATUS=0
    # shellcheck disable=SC3045 # every sh that runs this knows -n
    (ulimit -n $descriptors; exec backup-db app.db --no-prune) >"$OUT" 2>"$ERR" || STATUS=$?
    case $STATUS in
        0) good="$good
$(made)" ;;
        1) [ -s "$ERR" ] || wrong "not a word with $descriptors descriptors" ;;
        *) wrong "status $STATUS with $descriptors descriptors" ;;
    esac
    nothing_left
done
is "$(backups)" "$(echo "$good" | sort)" "the backups"
all_verify -q
