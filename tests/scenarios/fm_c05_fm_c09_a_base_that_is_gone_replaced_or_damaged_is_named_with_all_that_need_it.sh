#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

ledger app.db 5000
config 'type = "auto"' '[env.dev]' 'database = "app.db"'
for day in 1 2 3; do
    expect 0 at "2026-01-0${day}T03:00:00Z" backup-db -e dev
    add_row app.db
done
full=$(backups | head -n 1)
second=$(backups | sed -n 2p)
third=$(backups | tail -n 1)
cp -R backups sound
guarded() {
    expect 3 backup-guard -e dev --max-age 800000h --verify quick --json
    is "$(jq -r '.findings[] | select(.check == "chain") | .message' "$OUT")" "$1" "what the guard says of the chain"
}
refused() {
    for id in "$second" "$third"; do
        expect 3 restore-db "$id" -e dev --to sqlite:out.db
        says "$1"
        [ ! -e out.db ] || wrong "something was restored"
    done
    run python3 "backups/dev/$third/recover.py" "backups/dev/$third" out.db
    is "$STATUS" 3 "status of recover"
    [ ! -e out.db ] || wrong "something was recovered"
}
# The next run does not wait for somebody to look at it.
goes_on() {
    expect 0 at 2026-01-04T03:00:00Z backup-db -e dev --json
    is "$(jq -r .manifest.type "$OUT")" full "the type of the next run"
    rm -rf backups
    cp -R sound backups
}
# Moved away, and put back.
mv "backups/dev/$full" elsewhere
guarded "$full is missing, and these need it: $second, $third"
noted=$(cat backups/checks/* | wc -l)
refused "needs $full, which is not in the store"
is "$(cat backups/checks/* | wc -l)" "$noted" "checks: a base that is elsewhere is no damage of what needs it"
goes_on
rm -rf elsewhere
expect 0 restore-db "$third" -e dev --to sqlite:out.db
has_rows out.db 5002
rm out.db
# In the archive it is found as well.
mkdir -p backups/archives
mv "backups/dev/$full" backups/archives/
expect 0 restore-db "$third" -e dev --to sqlite:out.db
has_rows out.db 5002
python3 "backups/dev/$third/recover.py" "backups/dev/$third" again.db
is "$(hash_of again.db)" "$(hash_of out.db)" "what is recovered"
rm out.db again.db
mv "backups/archives/$full" backups/dev/
# Another backup of the very same name, sound in itself.
expect 0 backup-db app.db -e dev --type full --store other
rm -rf "backups/dev/$full"
cp -R other/dev/* "backups/dev/$full"
sed -i "s/$(backups dev other)/$full/" "backups/dev/$full/manifest.json"
(cd "backups/dev/$full" && find . -type f ! -name SHA256SUMS -printf '%P\n' | sort | xargs sha256sum >../sums && mv ../sums SHA256SUMS)
expect 3 restore-db "$third" -e dev --to sqlite:out.db
says "needs $full, and what has that name is another backup"
rm -rf backups
cp -R sound backups
# Damaged where an increment refers to it: a check of the increment finds it, and a check of the base names all that need it.
middle=$(($(stat -c %s "backups/dev/$full/database.sqlite.gz") / 2))
printf 'XXXXXXXX' | dd of="backups/dev/$full/database.sqlite.gz" bs=1 seek=$middle conv=notrunc 2>/dev/null
refused 'is damaged in frame'
expect 3 backup-guard -e dev --max-age 800000h --verify structure --json
is "$(jq -r '.findings[] | select(.check == "chain") | .message' "$OUT")" "$full is damaged, and these need it: $second, $third" "what the guard says of the chain"
goes_on
# Damaged, and nobody has looked yet: the pages that changed are compressed against it.
rm -rf "$HOLDFAST_STATE_DIR"
rm -rf backups
cp -R sound backups
python3 - "backups/dev/$full/database.sqlite.gz" <<'END'
import sys
with open(sys.argv[1], "r+b") as file:
    size = file.seek(0, 2)
    for at in range(200, size, 500):
        file.seek(at)
        file.write(b"\xff" * 8)
END
sqlite3 app.db 'UPDATE entry SET cents = 1 WHERE id % 300 = 0'
expect 0 at 2026-01-04T03:00:00Z backup-db -e dev --new-store
says "$third cannot be referred to, so this one is a full"
expect 0 restore-db latest -e dev --to sqlite:out.db
is "$(content out.db)" "$(content app.db)" "what the full holds"
nothing_left
rm -rf backups
cp -R sound backups
expect 0 backup-catalog forget -e dev --all
# The script for a recovery by hand holds no data: that is said, and the one of another increment mends it.
echo '# by hand' >>"backups/dev/$third/recover.py"
expect 3 backup-guard -e dev --max-age 800000h
prints 'recover.py has changed: it does not match SHA256SUMS; it is the script for a recovery without Holdfast, and holds no data: put the one of another'
cp "backups/dev/$second/recover.py" "backups/dev/$third/recover.py"
expect 0 backup-guard -e dev --max-age 800000h
expect 0 backup-catalog show "$third" --json
is "$(value .verdict)" verified 'the verdict with the script of another'
rm "backups/dev/$third/recover.py"
expect 3 backup-guard -e dev --max-age 800000h --verify quick
prints 'recover.py is missing; it is the script for a recovery without Holdfast'
