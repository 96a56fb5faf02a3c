#!/bin/sh
# shellcheck disable=SC2016 # what another shell expands
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

cat >works <<'END'
#!/bin/sh
# Whether the application works: its database has the column that it reads.
echo "noise on stdout"
echo run >>checks
sqlite3 app.db 'SELECT note FROM entry LIMIT 1' >/dev/null 2>&1 || { echo 'entry has no note' >&2; exit 3; }
END
chmod 755 works
config '[env.dev]' 'database = "app.db"' '[env.checked]' 'database = "app.db"' 'check = ["./works"]'
ledger app.db 10
before=$(content app.db)
add='ALTER TABLE entry ADD note TEXT'
expect 123 safe-migrate -e dev --check ./works -- sqlite3 app.db 'ALTER TABLE entry ADD nota TEXT'
says 'the check of dev fails: works failed (status 3): entry has no note'
says '; rolled back to 20'
prints_nothing
is "$(content app.db)" "$before" "what the database holds"
# A command that failed is not asked about.
rm checks
expect 1 safe-migrate -e checked -- sh -c "sqlite3 app.db '$add'; exit 1"
[ ! -e checks ] || wrong "the check ran"
expect 123 safe-migrate -e checked -- sqlite3 app.db "$add; DELETE FROM entry WHERE id = 1"
is "$(content app.db)" "$before" "what the database holds"
# Where the database is as it was, there is nothing to bring back.
expect 123 safe-migrate -e checked -- true
says 'the check of checked fails'
says 'the database is exactly as it was before'
is "$(content app.db)" "$before" "what the database holds"
expect 0 safe-migrate -e checked -- sqlite3 app.db "$add"
is "$(sqlite3 app.db 'SELECT count(*) FROM entry WHERE note IS NULL')" 10 "rows with the new column"
# Words are split as in a shell, and nothing else is done to them.
expect 0 safe-migrate -e dev --check 'test "a b" = '"'a b'" -- true
expect 123 safe-migrate -e dev --check 'test $HOME = /' -- true
expect 0 safe-migrate -e checked --check true -- sqlite3 app.db 'UPDATE entry SET note = 1'
# The command line's check is in place of the configuration's.
expect 123 safe-migrate -e checked --check false -- sqlite3 app.db 'UPDATE entry SET note = 2'
is "$(sqlite3 app.db 'SELECT DISTINCT note FROM entry')" 1 "the notes"
nothing_stands
nothing_left
