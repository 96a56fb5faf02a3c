#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

config '[env.dev]' 'database = "app.db"' '[env.prod]' 'database = "prod.db"' 'protected = true' '[env.dev.retention]' 'keep_last = 1'
ledger app.db 5
ledger prod.db 7
expect 0 at 2026-11-20T10:00:00Z backup-db -e dev
expect 0 at 2026-11-21T10:00:00Z backup-db -e prod
prod=$(made)
# What only looks leaves no line.
before=$(cat backups/audit/*)
expect 0 backup-db -e dev -n
expect 0 restore-db -e dev latest -n
expect 0 restore-db --list
run backup-guard -n
expect 0 backup-guard audit
is "$(cat backups/audit/*)" "$before" "the trail after runs that only look"

expect 4 at 2026-11-22T10:00:00Z restore-db -e prod latest
at 2026-11-22T11:00:00Z approved restore-db -e prod latest
at 2026-11-22T12:00:00Z approved restore-db -e prod --undo
expect 1 at 2026-11-23T10:00:00Z backup-db missing.db -e dev
audit() { expect 0 backup-guard audit --limit 0 --json "$@"; }
audit -e prod
is "$(jq -r '.lines | map(.operation + " " + .event + " " + (.result // "-")) | join("|")' "$OUT")" \
    "backup start -|backup outcome done|restore start -|restore plan -|restore approval refused|restore outcome refused|restore start -|restore plan -|restore approval granted|restore outcome done|undo start -|undo plan -|undo approval granted|undo outcome done" "the lines of prod"
is "$(jq -r '.lines[9] | .backup, .target, .status, .user, .uid, .detail.safety_backup' "$OUT" | sed 's/-safety-.*/-safety/')" \
    "$(printf '%s\n' "$prod" "sqlite:$PWD/prod.db" 0 "$(id -un)" "$(id -u)" 20261122T110000Z-prod-safety)" "the outcome of the restore"
is "$(jq -r '.lines[5] | .status, (.error | contains("protected")), has("duration_ms")' "$OUT" | tr '\n' ' ')" "4 true true " "the refusal"
audit --event outcome --operation backup --since 2026-11-21 --until 2026-11-22
is "$(jq -r '.lines | map(.environment) | join(" ")' "$OUT")" prod "the backups of two days"
audit --operation backup-db --user "$(id -un)" --event outcome
is "$(jq -r '.lines | map(.result) | join(" ")' "$OUT")" "done done failed" "how the backups of this user ended"
audit --user nobody-at-all
is "$(jq .matched "$OUT")" 0 "lines of nobody"
expect 0 backup-guard audit --run "$(jq -r .run backups/audit/audit_2026-11-20.jsonl | head -c 10)"
is "$(wc -l <"$OUT")" 3 "a heading and two lines of one run"
expect 0 env HOLDFAST_ENV=dev backup-guard audit --summary
is "$(grep -c ^restore "$OUT")" 0 "restores of dev"
expect 0 backup-guard audit --summary
prints 'restore    refused  1'
expect 2 backup-guard audit --event nonsense
expect 2 backup-guard audit --since yesterday
expect 2 backup-guard -e dev audit
says 'audit must come first'

# Each backup names the newest line there was.
line=$(jq -r .audit_head.sha256 "backups/prod/$prod/manifest.json")
is "$line" "$(head -n 1 backups/audit/audit_2026-11-21.jsonl | tr -d '\n' | sha256sum | cut -d' ' -f1)" "the line that the manifest names"
# One letter, and one line: told with the place, and status 3.
cp -R backups/audit kept
sed -i '2s/"done"/"gone"/' backups/audit/audit_2026-11-21.jsonl
expect 3 backup-guard audit
says 'audit_2026-11-21.jsonl line 2 was changed, or lines between it and audit_2026-11-22.jsonl line 1 are missing'
expect 3 backup-guard audit --json
is "$(jq -r '.status, .findings[0].file, .findings[0].line' "$OUT" | tr '\n' ' ')" "3 audit_2026-11-21.jsonl 2 " "the finding"
rm -rf backups/audit
cp -R kept backups/audit
sed -i '$d' backups/audit/audit_2026-11-23.jsonl
expect 3 backup-guard audit
says 'the newest that this machine wrote, is not there'
# On another machine the backups tell.
rm backups/audit/audit_2026-11-2[123].jsonl
expect 3 env HOLDFAST_STATE_DIR="$PWD/other" backup-guard audit
says "which backup $prod was made after, is not there"
rm -rf backups/audit other
cp -R kept backups/audit
expect 0 backup-guard audit
