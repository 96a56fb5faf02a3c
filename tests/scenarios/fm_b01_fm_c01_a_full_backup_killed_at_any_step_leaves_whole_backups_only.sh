#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

# The first steps are cut in an empty store, so that creating it is cut too.
ledger app.db 50
mkdir -p media/album
echo one >media/album/one
ln -s one media/album/link
head -c 700000 /dev/urandom >media/large
echo K=1 >.env
config '[env.dev]' 'database = "app.db"' 'files = ["media"]' 'config_files = [".env"]'
at_step=0
while :; do
    at_step=$((at_step + 1))
    run env HOLDFAST_TEST_STOP_AT=$at_step backup-full
    [ "$STATUS" != 0 ] || break
    is "$STATUS" 137 "status when killed at step $at_step"
    if [ "$(count)" -gt 0 ]; then expect 0 backup-guard -q --verify structure "$(backups | tail -n 1)"; fi
    before=$(count)
    expect 0 backup-full
    is "$(count)" $((before + 1)) "backups after step $at_step"
    is "$(jq '[.components[].role] | length' "$(backup)/manifest.json")" 3 'components of a whole backup'
    nothing_left
done
[ "$at_step" -gt 40 ] || wrong "only $at_step steps: is this a debug build?"
all_verify -q
expect 0 backup-guard -q --verify restore "$(backups | tail -n 1)"
has_rows app.db 50
