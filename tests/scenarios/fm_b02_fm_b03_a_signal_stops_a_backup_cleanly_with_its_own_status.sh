#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

big_ledger app.db 60
expect 0 backup-db app.db
good=$(made)
# stopped_by SIGNAL STATUS
stopped_by() {
    # A shell starts what is in its background with SIGINT ignored, and what is ignored stays so.
    halted env --default-signal=INT backup-db app.db
    kill "-$1" "$VICTIM"
    kill -CONT "$VICTIM"
    STATUS=0
    wait "$VICTIM" || STATUS=$?
    is "$STATUS" "$2" "status after SIG$1"
    says "stopped by signal"
    prints_nothing
    is "$(backups)" "$good" "the backups after SIG$1"
    nothing_left
}
stopped_by TERM 143
stopped_by HUP 129
stopped_by INT 130
all_verify -q
