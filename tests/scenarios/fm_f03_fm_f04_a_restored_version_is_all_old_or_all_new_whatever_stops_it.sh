#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

head -c 900000 /dev/urandom >a.bin
expect 0 file-versions save a.bin -m first
first=$(made)
good=$(hash_of a.bin)
head -c 600000 /dev/urandom >present
present=$(hash_of present)
for way in STOP_AT FAIL_AT; do
    at_step=0
    changed=0
    while :; do
        at_step=$((at_step + 1))
        # Each time a content that no version holds yet.
        { cat present && echo "$way $at_step"; } >a.bin
        now=$(hash_of a.bin)
        errno=
        [ $way = STOP_AT ] || errno=:28
        run env "HOLDFAST_TEST_$way=$at_step$errno" file-versions restore a.bin "$first"
        found=$(hash_of a.bin)
        case $found in
            "$now") ;;
            "$good")
                changed=$((changed + 1))
                # What was there is a version, whole.
                expect 0 file-versions log a.bin --json
                value '.versions[].sha256' | grep -qx "$now" || wrong "step $at_step: what was there before is lost"
                ;;
            *) wrong "step $at_step: the file is neither the old one nor the new one" ;;
        esac
        run file-versions stats --verify
        is "$STATUS" 0 "the versions after step $at_step"
        run env "HOLDFAST_TEST_$way=$at_step$errno" true
        [ "$found" = "$now" ] || [ "$changed" -lt 8 ] || break
    done
    [ "$at_step" -gt 15 ] || wrong "only $at_step steps"
    # What a killed run left beside the file goes with the next one.
    echo more >>a.bin
    expect 0 file-versions restore a.bin "$first"
    left=$(find . -maxdepth 1 -name '.file-versions-*')
    [ -z "$left" ] || wrong "left beside the file: $left"
    is "$(hash_of a.bin)" "$good" 'the restored file'
done
is "$(hash_of present)" "$present" 'another file'
nothing_left
