# A full backup whose every file operation, from the n-th on, fails with errno $ERRNO.
# shellcheck shell=sh disable=SC2154 # ERRNO is the caller's
ledger app.db 50
mkdir -p media/album
echo one >media/album/one
head -c 700000 /dev/urandom >media/large
echo K=1 >.env
config '[env.dev]' 'database = "app.db"' 'files = ["media"]' 'config_files = [".env"]'
expect 0 backup-full
files=$(snapshot media)
failures=0
at_step=0
while :; do
    at_step=$((at_step + 1))
    before=$(backups)
    run env HOLDFAST_TEST_FAIL_AT="$at_step:$ERRNO" backup-full
    case $STATUS in
        0) break ;;
        1)
            is "$(backups)" "$before" "the backups after a failure at step $at_step"
            prints_nothing
            [ -s "$ERR" ] || wrong "not a word of a failure at step $at_step"
            ;;
        7)
            [ -d "$(backup)" ] || wrong "status 7 at step $at_step, and nothing was published"
            says 'the audit trail lacks a line of this run'
            ;;
        *) wrong "status $STATUS at step $at_step" ;;
    esac
    failures=$((failures + 1))
    if ls -d backups/.staging-* 2>/dev/null; then wrong "a staging folder is left after a failure at step $at_step"; fi
done
[ "$failures" -gt 35 ] || wrong "only $failures failures"
expect 0 backup-full
nothing_left
all_verify -q -e dev
is "$(snapshot media)" "$files" 'the files'
has_rows app.db 50
