#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

ledger app.db 50
config '[env.dev]' 'database = "app.db"' '[env.dev.retention]' 'keep_days = 30'
sqlite3 app.db .dump | gzip >old.sql.gz
sqlite3 app.db .dump >plain.sql
sqlite3 app.db '.backup old.sqlite'
touch -d 2020-11-01T12:00:00Z old.sql.gz
add_row app.db

expect 0 backup-catalog import --as db -e dev old.sql.gz --reason 'from the old script' --tag adopted -n
is "$(count)" 0 "backups after a dry run"
expect 0 backup-catalog import --as db -e dev old.sql.gz --reason 'from the old script' --tag adopted
first=$(made)
case $first in 20201101T120000Z-dev-db-*) ;; *) wrong "the time of the file is not in $first" ;; esac
expect 0 backup-catalog import --as db -e dev plain.sql --at 2020-11-02T12:00Z
second=$(made)
expect 0 backup-catalog import --as db -e dev old.sqlite --json
third=$(value .id)
is "$(value '.manifest.fingerprint.tables.entry.rows') $(value '.manifest.verification.level')" "50 restore" "what is known of it"

# From day one they are checked, listed, restored, also by hand, and kept by the rules.
all_verify -q -e dev --max-age 800000h
for id in "$first" "$second" "$third"; do
    expect 0 backup-guard -e dev --verify restore "$id"
    expect 0 restore-db "$id" -e dev --to "sqlite:$id.db"
    has_rows "$id.db" 50
done
expect 0 backup-catalog list --tag adopted --json
is "$(value '.backups[0].id') $(value '.backups[0].rows') $(value '.backups[0].verified')" "$first 50 restore" "in the list"
(cd "backups/dev/$first" && gunzip -c database.sql.gz | sqlite3 -bail ../../../by-hand.db)
has_rows by-hand.db 50
# shellcheck disable=SC2016 # RESTORE.txt has it as it stands
grep -qF 'sqlite3 -bail "$OUT/restored.sqlite"' "backups/dev/$first/RESTORE.txt" || wrong "RESTORE.txt has no command for it"
for id in "$first" "$second"; do expect 0 backup-catalog pin "$id"; done
expect 0 backup-db -e dev
expect 0 backup-catalog diff "$third" latest --json
is "$(value '.changes.tables[0].after')" 51 "the rows since"
expect 0 backup-catalog prune -e dev -n --json
is "$(value '[.plan.lines[].verdict] | unique | join(",")')" keep "nothing goes"

# What is no whole dump publishes nothing.
before=$(backups)
head -c 300 plain.sql >cut.sql
gzip -c plain.sql | head -c 200 >cut.sql.gz
head -c 5000 old.sqlite >cut.sqlite
echo hello >hello.txt
: >empty.sql
for file in cut.sql cut.sql.gz cut.sqlite hello.txt empty.sql missing.sql old.sqlite/x .; do
    run backup-catalog import --as db -e dev "$file"
    case $STATUS in 1 | 2 | 3) ;; *) wrong "status $STATUS for $file" ;; esac
    [ -s "$ERR" ] || wrong "not a word about $file"
    is "$(backups)" "$before" "the backups after $file"
    nothing_left
done
expect 2 backup-catalog import --as db -e dev plain.sql --at 2999-01-01
expect 2 backup-catalog import --as db -e dev plain.sql --tag 'two words'
expect 2 backup-catalog import --as db plain.sql
expect 2 backup-catalog import plain.sql.gz.none --at 2020-11-02
nothing_left

# A dump without --as db is no export, and none of its rows is shown.
for file in plain.sql old.sql.gz old.sqlite hello.txt; do
    expect 2 backup-catalog import "$file"
    says "no export of a backup"
    says "backup-catalog import --as db -e ENV $file"
    lacks "$ERR" entry
    lacks "$ERR" INSERT
done

# The time of a file that was just fetched is no time of a state: that it has become the newest is said.
touch plain.sql
expect 0 backup-catalog import --as db -e dev plain.sql
says 'is now the newest backup of dev'
says "backup-catalog delete $(made)"
says '--at TIME'
expect 0 backup-catalog import --as db -e dev plain.sql --at 2020-11-03T12:00Z
lacks "$ERR" 'newest backup'
