#!/bin/sh
# shellcheck disable=SC2012,SC2016 # names of ours; what another shell expands
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

mkdir 'a folder'
real="$PWD/a folder/app.db"
config '[env.dev]' "database = \"$real\"" 'password_file = "password"' 'clone_env = { LEDGER_FILE = "{path}" }'
printf 'correct horse\n' >password
chmod 600 password
ledger "$real" 50
sqlite3 "$real" 'CREATE TABLE payee (name TEXT); INSERT INTO payee VALUES (1)'
before=$(hash_of "$real")
lies=$(ls -lA "a folder" | tail -n +2)
untouched() {
    is "$(hash_of "$real")" "$before" "the bytes of the real database"
    is "$(ls -lA "a folder" | tail -n +2)" "$lies" "what lies beside it"
    nothing_stands
    nothing_left
}
# Tests that drop everything to which anything in their environment leads, whatever form that has.
cat >tests <<'END'
#!/bin/sh
env | sed -n 's/^[A-Z_]*=//p' | sed -e 's,^sqlite[a-z+3]*:/*,/,' -e 's,^file:/*,/,' -e 's,?.*,,' | sort -u >leads
while read -r place; do
    [ -f "$place" ] || continue
    case $(head -c 15 "$place" | tr -d '\0') in 'SQLite format 3') ;; *) continue ;; esac
    echo "$place" >>dropped
    sqlite3 "$place" 'DROP TABLE entry; UPDATE payee SET name = 2' && rm -f "$place" "$place-journal"
done <leads
env | grep -c 'correct horse'
exit "$1"
END
chmod 755 tests
export DATABASE_URL="sqlite:///$real" LEDGER_DB="$real" DJANGO="sqlite3:$real?mode=rwc" FILE="file:$real" RELATIVE='a folder/app.db' \
    SECRET='correct horse' SQLITE_PATH="$real" LEDGER_FILE="$real" SQLALCHEMY="sqlite+pysqlite:///$real" HARMLESS='a folder'

expect 1 safe-db-test -e dev -- ./tests 1
is "$(cat "$OUT")" 0 "variables with the password"
says_nothing
[ "$(sort -u dropped | wc -l)" = 1 ] || wrong "more than the clone was reached: $(cat dropped)"
case $(head -n 1 dropped) in "$PWD"/backups/.scratch-*/app.db) ;; *) wrong "the clone was $(head -n 1 dropped)" ;; esac
untouched
expect 0 safe-db-test -e dev -- ./tests 0
untouched
# Its variables, one by one.
expect 0 safe-db-test -e dev -- sh -c 'echo "$DATABASE_URL"; echo "$LEDGER_DB"; echo "$DJANGO"; echo "$FILE"; echo "$RELATIVE"; echo "$SQLITE_PATH"
    echo "$SQLITE_URL"; echo "$SQLITE_DATABASE"; echo "$LEDGER_FILE"; echo "$SQLALCHEMY"; echo "${SECRET-gone}"; echo "$HARMLESS"'
clone=$(sed -n 2p "$OUT")
is "$(sed "s,$clone,CLONE,g" "$OUT")" "sqlite:///CLONE
CLONE
sqlite3:///CLONE
file:///CLONE
CLONE
CLONE
sqlite:///CLONE
CLONE
CLONE
sqlite+pysqlite:///CLONE
gone
a folder" "the variables"
# In the arguments.
expect 0 safe-db-test -e dev -- sh -c 'printf "%s\n" "$@"' tests '{path}' 'url={url}!' '{other}' '{{path}}'
clone=$(head -n 1 "$OUT")
is "$(sed "s,$clone,CLONE,g" "$OUT")" "CLONE
url=sqlite:///CLONE!
{other}
{CLONE}" "the arguments"
# The clone holds what the real one does, and says that it is a clone.
expect 0 safe-db-test -e dev -- sh -c 'sqlite3 "$LEDGER_DB" .dump | cmp - "$0"' "$(sqlite3 "$real" .dump >dump && echo dump)"
untouched
expect 0 backup-guard mark-env dev
before=$(hash_of "$real")
lies=$(ls -lA "a folder" | tail -n +2)
expect 0 safe-db-test -e dev -- sh -c 'sqlite3 "$LEDGER_DB" "SELECT environment, role FROM holdfast_marker"'
is "$(cat "$OUT")" 'dev|clone' "what the clone says of itself"
untouched
# Every status is the tests' own.
for status in 2 5 77 119 120 200; do
    expect $status safe-db-test -e dev -- sh -c "exit $status"
done
expect 143 safe-db-test -e dev -- sh -c 'kill $$'
untouched
is "$(count)" "$(ls backups/dev | wc -l)" "safety backups"
