#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

config 'min_verified = 1' '[env.dev]' 'database = "app.db"' '[env.dev.retention]' 'keep_last = 1'
ledger app.db 5
for day in 01 02 03; do expect 0 at "2020-11-${day}T12:00:00Z" backup-db --no-prune && made >>ids; done
pinned=$(sed -n 1p ids) good=$(sed -n 2p ids) bad=$(sed -n 3p ids)
expect 0 backup-catalog pin "$pinned" --reason audit
printf X | dd of="backups/dev/$bad/database.sqlite.gz" bs=1 seek=40 conv=notrunc 2>/dev/null
expect 3 backup-guard --max-age 800000h
prints "$bad"
expect 0 backup-catalog prune -n --json
is "$(value '[.plan.lines[] | select(.verdict == "remove")] | length')" 0 'what would go while all is known'

# A sync service takes them away: neither is the pin gone nor the damage healed.
mv "backups/checks/$bad.jsonl" "backups/checks/.$bad.jsonl.icloud"
mv "backups/labels/$pinned.jsonl" "backups/labels/.$pinned.jsonl.icloud"
expect 0 backup-catalog list --json
for id in "$pinned" "$bad"; do
    is "$(value ".backups[] | select(.id == \"$id\") | [.verdict, .verified] | @json")" '["unknown",null]' "the verdict on $id"
done
is "$(value ".backups[] | select(.id == \"$good\") | .verdict")" verified 'the verdict on the good one'
expect 0 backup-catalog list --bad
prints "checks/$bad.jsonl is not known: it is only in the cloud just now"
lacks "$OUT" "$good"
expect 0 backup-catalog prune -n
prints "keep $pinned  held: its checks or labels cannot be read"
prints "keep $bad  held: its checks or labels cannot be read"
expect 0 backup-catalog prune
is "$(count)" 3 'backups after a prune'
expect 4 backup-catalog delete "$pinned"
says "whether $pinned is pinned cannot be said"
expect 0 restore-db latest --to sqlite:out.db
prints "$good"
# The guard says so, and writes nothing over what is away.
expect 3 backup-guard --verify quick --max-age 800000h
prints "labels/$pinned.jsonl is not known"
prints "checks/$bad.jsonl is not known"
prints 'no retention removes it'
[ ! -e "backups/checks/$bad.jsonl" ] || wrong 'a second history beside the one that is away'
expect 1 backup-catalog tag "$pinned" x
says 'only in the cloud'

# It comes back, and the whole folder goes.
mv "backups/checks/.$bad.jsonl.icloud" "backups/checks/$bad.jsonl"
mv "backups/labels/.$pinned.jsonl.icloud" "backups/labels/$pinned.jsonl"
expect 0 backup-catalog show "$pinned" --json
is "$(value '[.verdict, .pin.reason] | @json')" '["verified","audit"]' 'what is known again'
mv backups/labels labels
: >backups/.labels.icloud
expect 0 backup-catalog prune
is "$(count)" 3 'backups after a prune without labels'
