# A save whose every file operation, from the n-th on, fails with errno $ERRNO.
# shellcheck shell=sh disable=SC2154 # ERRNO is the caller's
echo old >a.txt
expect 0 file-versions save a.txt -m old
failures=0
at_step=0
while :; do
    at_step=$((at_step + 1))
    echo "content $at_step" >a.txt
    before=$(file-versions log a.txt --json | jq '.versions | length')
    run env HOLDFAST_TEST_FAIL_AT="$at_step:$ERRNO" file-versions save a.txt -m failing
    [ -s "$ERR" ] || [ "$STATUS" = 0 ] || wrong "status $STATUS at step $at_step and not a word"
    expect_status=$STATUS
    case $STATUS in
        0) break ;;
        1) prints_nothing ;;
        7) grep -qF -e 'the audit trail lacks a line of this run' "$ERR" || wrong "status 7, and no reason" ;;
        *) wrong "status $STATUS at step $at_step" ;;
    esac
    failures=$((failures + 1))
    left=$(find backups/versions -name '.staging-*')
    [ -z "$left" ] || wrong "left after a failure at step $at_step: $left"
    expect 0 file-versions stats --verify
    expect 0 file-versions log a.txt --json
    wanted=$before
    [ "$expect_status" != 7 ] || wanted=$((before + 1))
    is "$(value '.versions | length')" "$wanted" "versions after status $expect_status at step $at_step"
done
[ "$failures" -gt 12 ] || wrong "only $failures failures"
expect 0 file-versions cat a.txt
is "$(cat "$OUT")" "content $at_step" 'the newest version'
expect 0 file-versions stats --verify
nothing_left
expect 0 backup-guard audit --limit 1
