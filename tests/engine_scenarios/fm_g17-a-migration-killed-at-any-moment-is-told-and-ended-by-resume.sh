# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
. "$WORDS"
make_ledger 2000
config '[env.dev]' "database = \"$URL\""
before=$(picture)
make_migration failing <<'SQL'
ALTER TABLE account ADD COLUMN rating integer;
DELETE FROM entry WHERE id > 10;
INSERT INTO account VALUES (1, 'again', 0, 0);
SQL
make_program migration 'touch begun; exec ./failing'
expect "$FAILED_STATEMENT" client_env safe-migrate -e dev -- ./migration
took=$((($(date +%s%N) - $(date +%s%N -r begun)) / 1000000))
approved restore-db -e dev --discard
# HOLDFAST_SOAK=1 for the long run, or the number of rounds.
rounds=${HOLDFAST_SOAK:-5}
[ "$rounds" != 1 ] || rounds=200
echo "note: seed $SEED, from the command's start to the rollback's end $took ms, $rounds rounds" >&2
round=0 stood=0
while [ "$round" -lt "$rounds" ]; do
    round=$((round + 1))
    rm -f begun
    # shellcheck disable=SC2086 # a list of words
    env $CLIENT_SETTINGS safe-migrate -e dev --no-prove -- ./migration >out 2>err </dev/null &
    run=$!
    # One in five is killed during the backup, where nothing can go wrong.
    [ "$((round % 5))" = 0 ] || until_true 60 test -e begun
    random_below "$took"
    sleep "$(printf '%d.%03d' $((RANDOM_NUMBER / 1000)) $((RANDOM_NUMBER % 1000)))"
    kill -KILL "$run" 2>/dev/null || :
    wait "$run" || :
    # What the command has begun comes to its end by itself.
    until_true 20 none_runs "$CLIENT"
    if [ -n "$(find "$HOLDFAST_STATE_DIR/journal" -type f 2>/dev/null)" ]; then
        stood=$((stood + 1))
        if [ "$stood" = 1 ]; then
            expect 125 client_env safe-migrate -e dev -- ./migration
            holds err 'an interrupted safe-migrate stands'
        fi
        expect 0 as_approved safe-migrate -e dev --resume --report report.json
        case $(told .state.state) in unchanged | rolled_back) ;; *) wrong "it ended as $(told .state.state)" ;; esac
    fi
    [ "$(picture)" = "$before" ] || wrong "round $round, killed after $RANDOM_NUMBER ms: it is not what it was before"
    nothing_stands
    nothing_beside
done
echo "note: $stood of them were ended by --resume" >&2
[ "$stood" -gt 0 ] || wrong "no kill came while the command ran"
# The next run takes away what the killed ones have left.
approved restore-db -e dev --discard
is "$(kept_aside)" ""
expect 0 backup-db -e dev --verify restore
nothing_staged
