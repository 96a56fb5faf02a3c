#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

ledger app.db 20
expect 0 backup-db app.db
id=$(made)
expect 0 backup-catalog tag "$id" first
expect 0 backup-catalog pin "$id"
before=$(snapshot backups/dev)
at_step=0
while :; do
    at_step=$((at_step + 1))
    run env HOLDFAST_TEST_STOP_AT=$at_step backup-catalog tag "$id" "killed-$at_step"
    [ "$STATUS" != 0 ] || break
    is "$STATUS" 137 "status when killed at step $at_step"
    run env HOLDFAST_TEST_FAIL_AT="$at_step:28" backup-catalog tag "$id" "full-$at_step"
    case $STATUS in 1 | 7) ;; *) wrong "status $STATUS when the disk is full at step $at_step" ;; esac
    # What a power cut leaves of the last line, at any of its lengths.
    printf '%s' '{"at":"2026-11-21T12:00:00.000Z","do":"unpin","user"' | cut -c "1-$((at_step * 4))" | tr -d '\n' >>"backups/labels/$id.jsonl"
    expect 0 backup-catalog tag "$id" "after-$at_step"
    expect 0 backup-catalog list --pinned --json
    value '.backups[0].tags[]' >tags
    for tag in first "after-$at_step"; do grep -qx -e "$tag" tags || wrong "the tag $tag is gone at step $at_step"; done
    is "$(grep -c '^after-' tags)" "$at_step" "tags that were given in between"
    is "$(snapshot backups/dev)" "$before" "the backup"
done
[ "$at_step" -gt 8 ] || wrong "only $at_step steps"
expect 0 backup-guard audit --limit 1
all_verify -q
