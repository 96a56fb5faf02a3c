#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

touch canary
n=0
# Spaces, quotes, a leading dash, a newline, commands, patterns, other alphabets, invalid text, what URIs and SQLite treat specially.
# shellcheck disable=SC2016 # so it is meant
for name in 'a b.db' "it's.db" '"q".db' '-e.db' '--help' "$(printf 'two\nlines.db')" 'x;rm -f canary' '$(rm canary)' '`rm canary`' '*.db' \
    'счёт.db' 'a?mode=ro.db' 'a#b.db' 'a%20b.db' 'file.db?cache=shared' 'no-ending' '.hidden.db' 'x.db.gz'; do
    n=$((n + 1))
    mkdir "place $n"
    cd "place $n"
    ledger "./$name" $n
    expect 0 backup-db -- "./$name"
    folder=$(find backups/dev -mindepth 1 -maxdepth 1)
    sqlite3 "./$name" 'DELETE FROM entry'
    expect 0 restore-db latest
    is "$(sqlite3 "./$name" 'SELECT count(*) FROM entry')" $n "rows of $name"
    expect 0 backup-guard --verify restore
    # Without Holdfast, by what RESTORE.txt says.
    gunzip -c "$folder/database.sqlite.gz" >again.db
    has_rows again.db $n
    expect 0 restore-db --undo --to "./$name"
    is "$(sqlite3 "./$name" 'SELECT count(*) FROM entry')" 0 "rows of $name after undo"
    nothing_left
    cd ..
    [ -e canary ] || wrong "$name was run as a command"
done
expect 2 backup-db ''
expect 2 backup-db "$(printf 'caf\351.db')"
says 'UTF-8'
expect 2 backup-db ':memory:'
expect 1 backup-db .
