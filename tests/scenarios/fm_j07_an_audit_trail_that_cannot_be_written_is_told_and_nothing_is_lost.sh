#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

config '[env.dev]' 'database = "app.db"'
ledger app.db 5
expect 0 backup-db -e dev
mv backups/audit away
# A file in place of the folder stands against every user, root too.
: >backups/audit
lacking='warning: the audit trail lacks a line of this run: '
expect 7 backup-db -e dev
says "$lacking"
says "$PWD/backups/audit"
[ -d "$(backup)" ] || wrong "the backup is not there"
is "$(grep -c "$lacking" "$ERR")" 1 "how often it is told"
expect 7 backup-db -e dev --json
is "$(jq -r .status "$OUT")" 7 "the status in the document"
jq -e '.audit_error | contains("backups/audit")' "$OUT" >/dev/null || wrong "the document does not say why"
expect 7 restore-db -e dev latest --json
jq -e '.audit_error | contains("backups/audit")' "$OUT" >/dev/null || wrong "the document of the restore does not say why"
has_rows app.db 5
expect 7 restore-db -e dev --undo
plan restore-db -e dev --discard
expect 7 restore-db -e dev --discard --confirm "$CODE"
expect 7 backup-guard
prints 'the audit trail lacks a line of this run'
expect 1 backup-guard --format nagios
prints 'HOLDFAST WARNING - store: the audit trail lacks a line of this run'
# A wrapper's 7 would be its command's.
expect 119 safe-migrate -e dev -- sqlite3 app.db 'INSERT INTO entry (cents) VALUES (1)'
says "$lacking"
has_rows app.db 6
expect 5 safe-migrate -e dev -- sh -c 'exit 5'
says "$lacking"
# Any other status stays.
expect 3 restore-db -e dev 20300101
says "$lacking"
expect 1 backup-db missing.db -e dev
# A trail that is only read is verified all the same.
rm backups/audit
mv away backups/audit
expect 0 backup-guard audit
all_verify -q
# Without a store the trail is in the state directory.
mkdir "$SAID/elsewhere"
sqlite3 app.db .dump >"$SAID/elsewhere/app.sql"
cd "$SAID/elsewhere"
expect 0 restore-db -f app.sql --to sqlite:new.db
has_rows new.db 6
expect 0 backup-guard audit --local --json
is "$(jq -r '.lines | map(.event) | join(" ")' "$OUT")" "start plan outcome" "the lines of the machine's own trail"
is "$(jq -r '.lines[2].target' "$OUT")" "sqlite:$PWD/new.db" "its target"
