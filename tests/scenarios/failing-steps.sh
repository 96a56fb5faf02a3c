# A backup with retention whose every file operation, from the n-th on, fails with errno $ERRNO.
# shellcheck shell=sh disable=SC2154 # ERRNO is the caller's
ledger app.db 50
config 'min_verified = 1' '[env.dev]' 'database = "app.db"' '[env.dev.retention]' 'keep_last = 2'
for day in 01 02 03 04; do at "2020-11-${day}T12:00:00Z" backup-db -e dev --no-prune >/dev/null; done
failures=0
at_step=0
while :; do
    at_step=$((at_step + 1))
    before=$(backups)
    run env HOLDFAST_TEST_FAIL_AT="$at_step:$ERRNO" backup-db -e dev
    [ -s "$ERR" ] || [ "$STATUS" = 0 ] || wrong "status $STATUS at step $at_step and not a word"
    case $STATUS in
        0) break ;;
        1)
            is "$(backups)" "$before" "the backups after a failure at step $at_step"
            prints_nothing
            ;;
        7) 
            [ -d "$(backup)" ] || wrong "status 7 at step $at_step, and nothing was published"
            grep -qF -e 'is published, but retention failed' -e 'the audit trail lacks a line of this run' "$ERR" || wrong "status 7, and no reason"
            ;;
        *) wrong "status $STATUS at step $at_step" ;;
    esac
    failures=$((failures + 1))
    ls -d backups/.staging-* 2>/dev/null && wrong "a staging folder is left after a failure at step $at_step"
    all_verify -q -e dev --max-age 800000h
done
[ "$failures" -gt 25 ] || wrong "only $failures failures"
expect 0 backup-db -e dev
nothing_left
is "$(count)" 2 "backups at the end"
all_verify -q -e dev
has_rows app.db 50
