# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
. "$WORDS"
make_ledger 5000
config '[env.dev]' "database = \"$URL\""
expect 0 backup-db
start=$(date +%s%N)
expect 0 restore-db latest --no-safety-backup
took=$((($(date +%s%N) - start) / 1000000))
approved restore-db --discard
# HOLDFAST_SOAK=1 for the long run, or the number of rounds.
rounds=${HOLDFAST_SOAK:-$KILL_ROUNDS}
[ "$rounds" != 1 ] || rounds=500
echo "note: seed $SEED, a restore takes $took ms, $rounds rounds" >&2

# Clients are there all the time, so that some kills fall where connections are held off.
for number in 1 2; do come_and_go "$number" & done
round=0 old=0 new=0
while [ "$round" -lt "$rounds" ]; do
    round=$((round + 1))
    set_mark "live $round"
    restore-db latest --no-safety-backup >out 2>err </dev/null &
    run=$!
    # Every other kill falls into the second half, where the swap is.
    random_below "$((took * 12 / (10 + 10 * (round % 2))))"
    RANDOM_NUMBER=$((RANDOM_NUMBER + took * (round % 2) * 6 / 10))
    sleep "$(printf '%d.%03d' $((RANDOM_NUMBER / 1000)) $((RANDOM_NUMBER % 1000)))"
    kill -KILL "$run" 2>/dev/null || :
    wait "$run" || :
    found=$(mark 2>&1 || :)
    case $found in
        "live $round") old=$((old + 1)) ;;
        first)
            new=$((new + 1))
            is "$(rows_of entry)" 5000
            # What was there is not lost: it comes back, whether or not the run lived to say so.
            expect 0 restore-db --undo
            is "$(mark)" "live $round" "after $RANDOM_NUMBER ms"
            approved restore-db --discard
            ;;
        *)
            # Closed in the middle of a swap: the next run opens it again.
            echo "note: round $round, after $RANDOM_NUMBER ms: $found" >&2
            expect 0 restore-db latest --no-safety-backup
            is "$(mark)" first
            expect 0 restore-db --undo
            is "$(mark)" "live $round"
            approved restore-db --discard
            ;;
    esac
done
echo "note: old $old, new $new" >&2
[ "$old" -gt 0 ] || wrong "no kill came in time"
set_mark live
expect 0 restore-db latest
: >stop
is "$(mark)" first
expect 0 restore-db --undo
is "$(mark)" live
until_true 3 none_runs
nothing_beside
nothing_staged
is "$(kept_after_kills)" 1
