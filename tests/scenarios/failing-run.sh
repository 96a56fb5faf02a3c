# A guarded run whose every file operation of ours fails, from the n-th on, with errno $ERRNO. $TOOL is the program, $FLAGS its flags,
# $ENDS what its command ends with.
# shellcheck shell=sh disable=SC2154,SC2086,SC2015,SC2153 # the caller's, and they are words
# shellcheck source=tests/scenarios/interrupted.sh
. "$SCENARIOS/interrupted.sh"

config '[env.dev]' 'database = "app.db"'
ledger app.db 20
expect 0 backup-db -e dev
cp app.db before.db
before=$(content app.db)
change='CREATE TABLE t AS SELECT id FROM entry; UPDATE entry SET cents = 0; INSERT INTO entry (cents) VALUES (9)'
sqlite3 app.db "$change"
after=$(content app.db)
keeps=no
[ "$TOOL $ENDS" != 'safe-migrate 0' ] || keeps=yes

at_step=0
refused=0
failed=0
while :; do
    at_step=$((at_step + 1))
    rm -f app.db app.db?* ran
    cp before.db app.db
    run env HOLDFAST_TEST_FAIL_AT="$at_step:$ERRNO" $TOOL -e dev $FLAGS -- sh -c "touch ran; sqlite3 app.db '$change'; exit $ENDS"
    what="a failure at step $at_step, status $STATUS"
    found=$(content app.db)
    case $STATUS in
        "$ENDS" | 119)
            # All is well, but for what can be told.
            if [ $keeps = yes ]; then is "$found" "$after" "$what"; else is "$found" "$before" "$what"; fi
            # The last of all is the outcome in the audit trail: without a word of that, nothing has failed.
            grep -q 'the audit trail lacks a line' "$ERR" || break
            ;;
        125)
            is "$found" "$before" "$what"
            [ ! -e ran ] || wrong "$what: the command ran"
            [ -s "$ERR" ] || wrong "$what: not a word"
            refused=$((refused + 1))
            ;;
        121)
            # The command ran, and what it did could not be judged or undone. Both states are there, and --resume has the rest to do.
            is "$found" "$after" "$what"
            says 'hint: '
            says "resume"
            [ -n "$(find "$HOLDFAST_STATE_DIR/journal" -name '*.json')" ] || wrong "$what: nothing stands in the journal"
            failed=$((failed + 1))
            ;;
        *) wrong "$what" ;;
    esac
    prints_nothing
    [ -z "$(find "$HOLDFAST_STATE_DIR/journal" -name '*.json' 2>/dev/null)" ] || truthful $TOOL $keeps "$what"
done
[ "$refused" -gt 30 ] && [ "$failed" -gt 5 ] || wrong "of $at_step steps only $refused refused and $failed failed"
expect $ENDS $TOOL -e dev $FLAGS -- sh -c "exit $ENDS"
nothing_stands
nothing_left
all_verify -q -e dev
