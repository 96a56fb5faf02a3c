#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

mkdir media temp
head -c 300000 /dev/urandom >media/a
echo 'one word' >"media/b c"
ledger app.db 250
sqlite3 app.db 'CREATE TABLE scan (page BLOB); INSERT INTO scan VALUES (randomblob(400000))'
config '[env.dev]' 'database = "app.db"' 'files = ["media"]'

# by_hand FOLDER: every indented line is a command; all of them in one shell, in the backup's folder.
by_hand() {
    sed -n 's/^    //p' "$1/RESTORE.txt" >commands
    # shellcheck disable=SC2016 # RESTORE.txt has it as it stands
    grep -q 'OUT=$(mktemp -d)' commands || wrong "no folder outside: $(cat commands)"
    rm -rf temp
    mkdir temp
    temp=$PWD/temp
    expect 0 env TMPDIR="$temp" HOME="$temp" sh -e -c "cd '$1' && . '$PWD/commands'"
    out=$(ls -d temp/tmp.*)
}
expect 0 at 2020-11-01T12:00:00Z backup-full
full=$(made)
add_row app.db
echo more >media/d
expect 0 at 2020-11-01T13:00:00Z backup-full --type incremental
one=$(made)
add_row app.db
echo more >media/e
expect 0 at 2020-11-01T14:00:00Z backup-full --type incremental
two=$(made)
before=$(snapshot backups/dev)
for id in "$two" "$full"; do
    by_hand "$(pwd)/backups/dev/$id"
    is "$(snapshot backups/dev)" "$before" 'what is in the store after a restore by hand'
    [ "$id" = "$full" ] || has_rows "$out/restored.sqlite" 252
    [ "$id" != "$full" ] || has_rows "$out/restored.sqlite" 250
    [ "$id" = "$full" ] || diff -r media "$out/files/media" >"$OUT" || wrong 'the files are others'
done
expect 0 backup-guard -q --max-age 800000h
says_nothing
# Every backup that is needed is named, and what is said of the other files is true.
for id in "$full" "$one"; do grep -qx "  $id" "backups/dev/$two/RESTORE.txt" || wrong "RESTORE.txt does not name $id"; done
lacks "backups/dev/$two/RESTORE.txt" 'need neither'
grep -q 'need neither' "backups/dev/$full/RESTORE.txt" || wrong 'a full needs no index'

# With a damaged base the commands stop before anything half is unpacked or loaded.
printf 'oops' | dd of="backups/dev/$full/files.tar.gz" bs=1 seek=150000 conv=notrunc 2>/dev/null
printf 'oops' | dd of="backups/dev/$full/database.sqlite.gz" bs=1 seek=150000 conv=notrunc 2>/dev/null
rm -rf temp
mkdir temp
sed -n 's/^    //p' "backups/dev/$two/RESTORE.txt" >commands
run env TMPDIR="$PWD/temp" sh -c "cd 'backups/dev/$two' && . '$PWD/commands'"
is "$(find temp -name media)" '' 'what is unpacked of a damaged base'
is "$(find temp -name files.tar)" '' 'half an archive'
