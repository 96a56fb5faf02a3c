#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

config '[env.dev]' 'database = "app.db"' '[env.dev.retention]' 'keep_last = 9'
ledger app.db 5
json() {
    is "$(jq -s length "$OUT")" 1 "documents on stdout"
    is "$(jq -r "$1" "$OUT")" "$2" "$1"
}
expect 0 backup-db -e dev --json --reason 'why "not"' --tag a --tag b
json .status 0
json .manifest.reason 'why "not"'
json '.manifest.tags | join(",")' a,b
json '.manifest.fingerprint.tables.entry.rows' 5
id=$(jq -r .id "$OUT")
[ -d "$(jq -r .folder "$OUT")" ] || wrong "no such folder"
expect 0 restore-db --list --json
json '.backups[0].id' "$id"
json '.backups[0].verified' structure
expect 0 backup-guard --json
json .status 0
expect 0 restore-db -e dev latest -n --json
json '.steps[0].do' verify
expect 0 restore-db -e dev latest --json
json .plan.origin "$id"
expect 0 restore-db --undo --json
json .undone "$id"
expect 0 backup-db -n --json
json .environment dev
expect 1 backup-db missing.db -e dev --json
json .error.status 1
expect 2 backup-db --json --wrong
json .error.status 2
expect 2 restore-db --json
json .error.status 2
expect 3 restore-db -e dev 20300101 --json
json .error.status 3
echo 'nonsense' >holdfast.toml
expect 6 backup-db --json
json .error.status 6
nothing_left
