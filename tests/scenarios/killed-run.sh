# A guarded run that is killed at each of its steps in turn. $TOOL is the program, $FLAGS its flags, $ENDS what its command ends with.
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
stood=0
changed=0
while :; do
    at_step=$((at_step + 1))
    rm -f app.db app.db?*
    cp before.db app.db
    run env HOLDFAST_TEST_STOP_AT=$at_step $TOOL -e dev $FLAGS -- sh -c "sqlite3 app.db '$change'; exit $ENDS"
    [ "$STATUS" != "$ENDS" ] || break
    is "$STATUS" 137 "status of a run killed at step $at_step"
    found=$(content app.db)
    # Before there is an entry and after it is gone there is nothing to tell, and nothing was done.
    if [ -z "$(find "$HOLDFAST_STATE_DIR/journal" -name '*.json' 2>/dev/null)" ]; then
        [ "$found" = "$before" ] || { [ $keeps = yes ] && [ "$found" = "$after" ]; } || wrong "step $at_step: nobody tells of what is there"
        continue
    fi
    truthful $TOOL $keeps "step $at_step"
    stood=$((stood + 1))
    [ "$found" = "$before" ] || changed=$((changed + 1))
done
[ "$stood" -gt 10 ] && [ "$changed" -gt 5 ] || wrong "of $at_step steps only $stood left an interrupted run, and only $changed a change"
if [ $keeps = yes ]; then is "$(content app.db)" "$after" "the end"; else is "$(content app.db)" "$before" "the end"; fi
nothing_stands
nothing_left
all_verify -q -e dev
