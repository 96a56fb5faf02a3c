# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
. "$WORDS"
make_ledger
picture >whole.sql
if has_archive; then archive >whole.dump; fi
half=$(($(wc -c <whole.sql) / 2))
in_rows=$(grep -n 'account 50' whole.sql | head -n 1 | cut -d: -f1)
head -c "$half" whole.sql >cut-in-a-line.sql
head -n "$in_rows" whole.sql >cut-in-the-rows.sql
gzip -c cut-in-the-rows.sql >cut-in-the-rows.sql.gz
zstd -qc cut-in-the-rows.sql >cut-in-the-rows.sql.zst
gzip -c whole.sql | head -c 5000 >cut.sql.gz
zstd -qc whole.sql | head -c 5000 >cut.sql.zst
sed "/$LAST_LINE/d" whole.sql >without-its-end.sql
if has_archive; then head -c 3000 whole.dump >cut.dump; fi
: >empty.sql
set_mark live
before=$(picture)
for file in cut* without* empty*; do
    status=0
    restore-db --no-safety-backup --to "$URL" -f "$file" >out 2>err </dev/null || status=$?
    # Only the engine's own program can tell that an archive is cut; it finds out beside the target.
    case $file in *.dump) wanted=1 ;; *) wanted=3 ;; esac
    is "$status" "$wanted" "$file"
    [ "$(picture)" = "$before" ] || wrong "$file: the database has changed"
    nothing_beside
    is "$(kept_aside)" ""
done
