#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

for number in 1 2 3 4 5; do
    echo "content $number" >a.txt
    at "2026-01-0${number}T12:00:00Z" expect 0 file-versions save a.txt -m "$number"
    eval "id$number=\$(made)"
    echo "content $number" >b.txt
    [ "$number" = 3 ] || at "2026-01-0${number}T13:00:00Z" expect 0 file-versions save b.txt -m "$number"
done
expect 0 file-versions tag a.txt keep latest~3
objects() { find backups/versions/objects -type f | wc -l | tr -d ' '; }
before=$(snapshot backups/versions)
expect 2 file-versions gc --keep-last 0
at 2026-01-10T12:00:00Z expect 0 file-versions gc --keep-last 2 --keep-days 7 -n --json
# shellcheck disable=SC2154 # by eval
is "$(value '[.versions[].id] | sort | join(" ")')" "$(file-versions log b.txt --json | jq -r --arg id "$id1" '[.versions[-1].id, .versions[-2].id, $id] | sort | join(" ")')" 'the plan'
is "$(snapshot backups/versions)" "$before" 'after a dry run'
# Nothing asked for: every version stays.
at 2030-01-01T00:00:00Z expect 0 file-versions gc --json
is "$(value '.versions | length') $(value .objects)" '0 0' 'without being asked'
# Versions go at once, and a content not before it is an hour old.
expect 0 file-versions gc --keep-last 1 --json
is "$(value '.versions | length') $(value .objects) $(value .young_objects)" '6 0 3' 'young contents'
is "$(objects)" 5 'objects'
# A save that names one of them makes it young again, as long as it is needed by nobody else.
find backups/versions/objects -type f -exec touch -d '2 hours ago' {} +
echo 'content 3' >b.txt
expect 0 file-versions save b.txt -m back --json
is "$(value .added_bytes)" 0 'a content that waits to be removed'
expect 0 file-versions gc --json
is "$(value .objects)" 2 'removed'
is "$(objects)" 3 'objects'
expect 0 file-versions stats --verify --json
is "$(value .unneeded_objects) $(value '.problems | length') $(value .versions)" '0 0 4' 'what is left'
expect 0 file-versions cat a.txt keep
is "$(cat "$OUT")" 'content 2' 'the tagged version'
# What is not ours stays.
touch backups/versions/objects/note backups/versions/objects/ab
expect 0 file-versions gc
says 'objects/note is none of ours, and stays'
[ -e backups/versions/objects/note ] || wrong 'a file that is not ours is gone'
rm backups/versions/objects/note backups/versions/objects/ab

# Killed at any step, every version that is left has its content; the next collection ends the work.
for number in 1 2 3 4 5 6; do
    echo "other $number" >c.txt
    expect 0 file-versions save c.txt -m "$number"
done
find backups/versions/objects -type f -exec touch -d '2 hours ago' {} +
cp -a backups/versions before
at_step=0
while :; do
    at_step=$((at_step + 1))
    rm -rf backups/versions
    cp -a before backups/versions
    run env HOLDFAST_TEST_STOP_AT=$at_step file-versions gc --keep-last 2
    [ "$STATUS" != 0 ] || break
    is "$STATUS" 137 "status when killed at step $at_step"
    expect 0 file-versions stats --verify
    expect 0 file-versions gc --keep-last 2
    expect 0 file-versions stats --verify --json
    is "$(value .unneeded_objects) $(value .versions)" '0 6' "after step $at_step"
done
[ "$at_step" -gt 15 ] || wrong "only $at_step steps"
nothing_left
# Where a part of the index is only in the cloud, or gone, nobody knows what is needed.
later() { HOLDFAST_TEST_NOW=2099-01-01T00:00:00Z file-versions "$@"; }
contents() { find backups/versions/objects -type f | sort; }
before=$(contents)
key=$(find backups/versions/index -mindepth 1 -maxdepth 1 -printf '%f\n' | head -n 1)
mv "backups/versions/index/$key" kept
: >"backups/versions/index/.$key.icloud"
expect 3 later gc
says 'is only in the cloud'
rm "backups/versions/index/.$key.icloud"
mv kept "backups/versions/index/$key"
mv backups/versions/index kept
expect 3 later gc
says 'holds contents and no index'
: >backups/versions/.index.icloud
expect 3 later gc
rm backups/versions/.index.icloud
mv kept backups/versions/index
is "$(contents)" "$before" "the contents"
expect 0 file-versions stats --verify
nothing_left
