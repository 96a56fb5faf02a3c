#!/bin/sh
# shellcheck disable=SC2016,SC2086 # what another shell expands; words
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

config '[env.dev]' 'database = "app.db"' '[env.undo]' 'database = "app.db"' 'on_leak = "restore"'
ledger app.db 30
before=$(content app.db)
# Each works on its clone, and goes on only when all ten of them are there.
cat >tests <<'END'
#!/bin/sh
sqlite3 "$SQLITE_PATH" "DELETE FROM entry WHERE id > $1; CREATE TABLE own_$1 (x)"
echo "$SQLITE_PATH" >"there.$1"
while [ "$(ls there.* | wc -l)" -lt 10 ]; do sleep 0.02; done
is=$(sqlite3 "$SQLITE_PATH" "SELECT count(*), (SELECT count(*) FROM sqlite_schema) FROM entry")
[ "$is" = "$1|2" ] || exit 99
exit "$1"
END
chmod 755 tests
for n in 1 2 3 4 5 6 7 8 9 10; do
    {
        status=0
        safe-db-test -e dev -- ./tests $n >"said.$n" 2>&1 || status=$?
        echo $status >"status.$n"
    } &
done
wait
for n in 1 2 3 4 5 6 7 8 9 10; do
    is "$(cat status.$n)" $n "status of run $n: $(cat said.$n)"
done
is "$(cat there.* | sort -u | wc -l)" 10 "different clones"
is "$(content app.db)" "$before" "what the real database holds"
is "$(count)" 10 "safety backups"
nothing_stands
nothing_left

expect 0 backup-db -e dev
# While tests run on clones, the real database is left alone by migrations, restores and tests in place; others may test, and back up.
safe-db-test -e dev -- sh -c 'touch testing; while [ ! -e enough ]; do sleep 0.02; done' &
testing=$!
wait_for "the tests" test -e testing
for other in 'safe-migrate -e dev -- true' 'safe-db-test -e dev --in-place -- true'; do
    expect 125 $other
    says 'is busy: held by safe-db-test'
done
expect 5 restore-db -e dev latest
expect 0 safe-db-test -e dev -- true
expect 0 backup-db -e dev
# Who waits gets it in the end.
safe-migrate -e dev --wait 20s -- sqlite3 app.db 'ALTER TABLE entry ADD note' >waited 2>&1 &
waiting=$!
sleep 0.3
[ "$(sqlite3 app.db "SELECT count(*) FROM pragma_table_info('entry')")" = 2 ] || wrong "it did not wait"
touch enough
wait $testing
wait $waiting || wrong "the one that waited: $(cat waited)"
is "$(sqlite3 app.db "SELECT count(*) FROM pragma_table_info('entry')")" 3 "columns"
# And the other way round: nobody tests while it is migrated.
rm -f testing enough
safe-migrate -e dev -- sh -c 'touch testing; while [ ! -e enough ]; do sleep 0.02; done' &
testing=$!
wait_for "the migration" test -e testing
expect 125 safe-db-test -e dev -- true
says 'is busy: held by safe-migrate'
touch enough
wait $testing

# Of several whose tests reach the real one, each puts it back, one after the other.
before=$(content app.db)
rm -f there.*
for n in 1 2 3; do
    {
        status=0
        safe-db-test -e undo -- sh -c 'touch "there.$0"; while [ "$(ls there.* | wc -l)" -lt 3 ]; do sleep 0.02; done
            sqlite3 -cmd ".timeout 10000" app.db "INSERT INTO entry (cents) VALUES (1)"' $n >"said.$n" 2>&1 || status=$?
        echo $status >"status.$n"
    } &
done
wait
for n in 1 2 3; do
    is "$(cat status.$n)" 122 "status of run $n: $(cat said.$n)"
done
is "$(content app.db)" "$before" "what the real database holds"
nothing_stands
nothing_left
