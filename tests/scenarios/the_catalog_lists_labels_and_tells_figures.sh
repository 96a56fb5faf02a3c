#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

ledger app.db 50
for day in 01 02 03; do expect 0 at "2020-11-${day}T12:00:00Z" backup-db app.db --tag nightly; done
first=$(backups | head -n 1)
last=$(backups | tail -n 1)
expect 0 env HOLDFAST_ENV=prod backup-db app.db
config 'env.dev.database = "app.db"' 'env.prod.database = "app.db"'

expect 0 backup-catalog list --json
is "$(value '.backups | length')" 4 "backups of both environments"
is "$(value '[.backups[].created_at] == ([.backups[].created_at] | sort)')" true "oldest first"
expect 0 backup-catalog list -e dev --until 2020-11-02 --json
is "$(value '[.backups[].id] | length')" 2 "backups until a day, all of which is meant"
expect 0 backup-catalog list -e dev --limit 1 --json
is "$(value '.matched') $(value '.backups[0].id')" "3 $last" "the newest of three"
expect 0 backup-catalog list --kind migration --json
is "$(value '.backups')" '[]' "no migration"
expect 0 backup-catalog list -e dev
prints "$first"
prints nightly

# Labels: the last word wins, and the backup itself is never touched.
before=$(snapshot "backups/dev/$first")
expect 0 backup-catalog tag "$first" release v2.4
prints "+release, +v2.4"
expect 0 backup-catalog untag "$first" nightly v2.4
expect 0 backup-catalog tag "$first" release
prints unchanged
expect 0 backup-catalog list --tag release --json
is "$(value '.backups[0].id') $(value '.backups[0].tags | join(",")')" "$first release" "the tagged one"
expect 0 backup-catalog list --tag nightly -e dev --json
is "$(value '.backups | length')" 2 "the tag of the manifest is hidden"
expect 0 restore-db --list -e dev --json
is "$(value ".backups[0].tags | join(\",\")")" release "tags in restore-db --list"
is "$(snapshot "backups/dev/$first")" "$before" "the backup's folder"
expect 2 backup-catalog tag "$first" 'two words'
expect 3 backup-catalog tag 1999 x
is "$(stat -c %a "backups/labels/$first.jsonl" backups/labels | tr '\n' ' ')" '600 700 ' "modes of the labels"

# A cut line takes no other along.
printf '{"at":"2026' >>"backups/labels/$first.jsonl"
expect 0 backup-catalog pin "$first" --reason 'annual accounts'
expect 0 backup-catalog list --pinned --json
is "$(value '.backups[0].id') $(value '.backups[0].pin.reason') $(value '.backups[0].tags | join(",")')" "$first annual accounts release" "the pinned one"
expect 0 backup-catalog unpin "$first" -n
expect 0 backup-catalog show "$first" --json
is "$(value '.pin.reason')" 'annual accounts' "a dry run changes nothing"
is "$(value '.manifest.id')" "$first" "the manifest"
is "$(value '.labels | length')" 5 "what was said of it"

# Checks and figures.
expect 0 backup-guard -e dev --verify restore -q --max-age 800000h
printf 'oops' | dd of="backups/dev/$last/database.sqlite.gz" bs=1 seek=100 conv=notrunc 2>/dev/null
expect 3 backup-guard -q "$last"
expect 0 backup-catalog checks --failed --json
is "$(value '.matched') $(value '.checks[0].backup')" "1 $last" "the failed check"
expect 0 backup-catalog list --bad --json
is "$(value '.backups[0].id') $(value '.backups[0].is_damaged')" "$last true" "the damaged one"
expect 0 backup-catalog list -e dev --verified=restore --json
is "$(value '.backups | length')" 2 "those that restored and are whole"
expect 0 backup-catalog stats --json
is "$(value '[.environments[] | .environment, .backups, .damaged, .pinned] | join(" ")')" "dev 3 1 1 prod 1 0 0" "the figures"
is "$(value '.environments[0].last_restore.restore_ms != null')" true "a proven restore"
expect 0 backup-catalog stats -e dev
prints "3 (3 db)"
expect 0 backup-catalog show "$first"
is "$(sed -n 's/^kind  *//p' "$OUT") $(sed -n 's/^type  *//p' "$OUT")" 'db full' 'kind and type, each by its name'
prints "restore passed"

# A manifest that cannot be read is listed with its reason.
echo '{}' >"backups/dev/$first/manifest.json"
expect 0 backup-catalog list --bad -e dev --json
is "$(value '.backups | length')" 2 "what cannot be relied upon"
says_nothing
