#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

config 'min_verified = 1' '[env.dev]' 'database = "app.db"' '[env.dev.retention]' 'keep_last = 2'
ledger app.db 5
for day in 01 02 03 04; do expect 0 at "2020-11-${day}T12:00:00Z" backup-db --no-prune && made >>ids; done
pinned=$(sed -n 1p ids) byte=$(sed -n 2p ids) newest=$(sed -n 4p ids)
expect 0 backup-catalog pin "$pinned" --reason audit
expect 0 backup-guard -q --max-age 800000h
# One bit of the pin flips, and a byte of another's checks is no letter.
sed -i 's/"do"/"eo"/' "backups/labels/$pinned.jsonl"
printf '\377' | dd of="backups/checks/$byte.jsonl" bs=1 seek=20 conv=notrunc 2>/dev/null
for command in 'backup-catalog list' 'backup-catalog stats' 'restore-db --list' 'backup-catalog checks' 'backup-catalog cleanup -n' \
    'backup-db --no-prune' "restore-db $byte --to sqlite:byte.db" 'restore-db latest --to sqlite:latest.db'; do
    # shellcheck disable=SC2086 # its words
    expect 0 $command
done
expect 0 backup-catalog list --bad
prints "labels/$pinned.jsonl is not known: line 1 cannot be read"
prints "checks/$byte.jsonl is not known: line 1 cannot be read"
lacks "$OUT" "$newest"
expect 3 backup-guard --max-age 800000h
prints "labels/$pinned.jsonl is not known"
prints "checks/$byte.jsonl is not known"
expect 0 backup-catalog prune
for id in "$pinned" "$byte" "$newest"; do
    [ -d "backups/dev/$id" ] || wrong "$id was removed"
done
[ ! -d "backups/dev/$(sed -n 3p ids)" ] || wrong 'one that nothing holds was kept'

# A folder in place of a file.
rm "backups/labels/$pinned.jsonl"
mkdir "backups/labels/$pinned.jsonl"
expect 0 backup-catalog list --bad
prints "labels/$pinned.jsonl is not known: it is no file"
expect 3 backup-guard --max-age 800000h
expect 0 backup-catalog prune
[ -d "backups/dev/$pinned" ] || wrong "$pinned was removed"
expect 0 restore-db latest --to sqlite:again.db --overwrite

# What a crash cut short is nobody's fault, and the next word stands behind it.
rmdir "backups/labels/$pinned.jsonl"
printf '{"at":"2026-11-21T12:00:03.000Z","do":"ta' >"backups/labels/$pinned.jsonl"
expect 0 backup-catalog pin "$pinned" --reason again
expect 0 backup-catalog show "$pinned" --json
is "$(value '[.verdict, .pin.reason] | @json')" '["verified","again"]' 'a pin behind a cut line'
