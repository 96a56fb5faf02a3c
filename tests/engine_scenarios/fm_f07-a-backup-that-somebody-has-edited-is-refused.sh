# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
# engines: postgres mariadb; a backup of SQLite is no text that can be edited by hand
. "$WORDS"
make_ledger
expect 0 backup-db "$URL" --compression gzip
folder=$(newest)
set_mark live
# A row less, and sums that fit again.
chmod -R u+w "$folder"
gunzip -c "$folder/database.sql.gz" | sed '/account 50/d' | gzip >edited
cat edited >"$folder/database.sql.gz"
(cd "$folder" && sed -i "s/^[0-9a-f]*\(.*database.sql.gz\)$/$(sha256sum database.sql.gz | cut -d' ' -f1)\1/" SHA256SUMS && sha256sum -c --quiet SHA256SUMS)
expect 3 restore-db latest --no-safety-backup
is "$(mark)" live
expect 3 backup-guard
nothing_beside
is "$(kept_aside)" ""
