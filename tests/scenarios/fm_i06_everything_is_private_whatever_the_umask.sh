#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

ledger app.db 5
for mask in 000 022 077 777; do
    rm -rf backups "$HOLDFAST_STATE_DIR"
    (
        umask $mask
        exec backup-db app.db
    ) >"$OUT" 2>"$ERR" || wrong "umask $mask: status $?"
    is "$(find backups "$HOLDFAST_STATE_DIR" -type d ! -perm 700)" "" "folders that are not 0700, with umask $mask"
    is "$(find backups "$HOLDFAST_STATE_DIR" -type f ! -perm 600)" "" "files that are not 0600, with umask $mask"
    rm -f new.db
    (
        umask $mask
        exec restore-db latest --to sqlite:new.db
    ) >"$OUT" 2>"$ERR" || wrong "a restore with umask $mask: status $?"
    is "$(find . -name 'new.db*' ! -perm 600)" "" "restored files that are not 0600"
    has_rows new.db 5
done
# Somebody opened it up: the guard says so.
chmod 644 backups/dev/*/database.sqlite.gz
expect 3 backup-guard
prints 'others can reach it'
