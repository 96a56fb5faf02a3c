# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
. "$WORDS"
make_ledger
add_oddities
odd=$(oddities)
before=$(picture)
picture >one
gzip -c one >two.txt
zstd -qc one >three.gz
if has_archive; then archive >four.sql; fi
for file in one two.txt three.gz four*; do
    [ -e "$file" ] || continue
    set_mark live
    expect 0 restore-db --no-safety-backup --to "$URL" -f "$file"
    is "$(oddities)" "$odd" "$file"
    [ "$(picture)" = "$before" ] || wrong "$file: it is not what was dumped"
    expect 0 restore-db --undo --to "$URL"
    is "$(mark)" live "$file"
    approved restore-db --discard --to "$URL"
done
echo 'Dear reader,' >letter
expect 2 restore-db --no-safety-backup --to "$URL" -f letter
is "$(mark)" live
nothing_beside
