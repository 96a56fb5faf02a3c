# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
# engines: postgres mariadb; a restore of SQLite is over too soon; fm_b01_fm_f03_a_restore_and_its_undo_killed_at_any_step… is about it
. "$WORDS"
make_ledger 60000
config '[env.dev]' "database = \"$URL\""
expect 0 backup-db
set_mark live
for signal in TERM INT; do
    env --default-signal restore-db latest --no-safety-backup >out 2>err </dev/null &
    run=$!
    until_true 20 is_loading
    kill -"$signal" "$run"
    status=0
    wait "$run" || status=$?
    case $signal in TERM) wanted=143 ;; INT) wanted=130 ;; esac
    is "$status" "$wanted" "$signal"
    is "$(mark)" live
    nothing_beside
    until_true 2 none_runs
done
is "$(kept_aside)" ""
expect 0 restore-db latest
is "$(mark)" first

# At any moment: old or new, never a database beside, and what was there is never lost.
approved restore-db --discard
rounds=${HOLDFAST_SOAK:-8}
[ "$rounds" != 1 ] || rounds=300
start=$(date +%s%N)
expect 0 restore-db latest --no-safety-backup
took=$((($(date +%s%N) - start) / 1000000))
approved restore-db --discard
echo "note: seed $SEED, a restore takes $took ms, $rounds rounds" >&2
round=0 old=0 new=0
while [ "$round" -lt "$rounds" ]; do
    round=$((round + 1))
    set_mark "live $round"
    env --default-signal restore-db latest --no-safety-backup >out 2>err </dev/null &
    run=$!
    random_below "$took"
    sleep "$(printf '%d.%03d' $((RANDOM_NUMBER / 1000)) $((RANDOM_NUMBER % 1000)))"
    kill -TERM "$run" 2>/dev/null || :
    status=0
    wait "$run" || status=$?
    nothing_beside
    case $status:$(mark) in
        "143:live $round") old=$((old + 1)) ;;
        0:first | 143:first)
            new=$((new + 1))
            expect 0 restore-db --undo
            is "$(mark)" "live $round" "after $RANDOM_NUMBER ms"
            approved restore-db --discard
            ;;
        *) wrong "status $status and mark '$(mark)' after $RANDOM_NUMBER ms" ;;
    esac
    none_runs || wrong "still running: $(running)"
done
echo "note: old $old, new $new" >&2
is "$(kept_aside)" ""
