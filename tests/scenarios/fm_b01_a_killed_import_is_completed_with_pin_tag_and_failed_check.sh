#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

ledger app.db 5
expect 0 backup-db app.db
id=$(made)
expect 0 backup-catalog pin "$id" --reason audit
expect 0 backup-catalog tag "$id" golden
mkdir -p backups/checks
echo '{"at":"2020-11-21T18:00:00.000Z","level":"restore","passed":false,"findings":["the ledger does not add up"],"check_ms":5,"host":"h"}' \
    >>"backups/checks/$id.jsonl"
expect 0 backup-catalog export "$id" -o one.tar.gz

# known STORE: what is said of the backup there is what was said of it.
known() {
    for folder in checks labels; do
        cmp "backups/$folder/$id.jsonl" "$1/$folder/$id.jsonl" >"$OUT" 2>&1 || wrong "the $folder did not come along: $at_step"
    done
    expect 0 backup-catalog list --store "$1" --json
    is "$(value '.backups[0] | "\(.is_damaged) \(.tags | join(",")) \(.pin.reason)"')" "true golden audit" "what the list says: $at_step"
}
at_step=none
expect 0 backup-catalog import one.tar.gz --store first
known first
at_step=0
while :; do
    at_step=$((at_step + 1 + $(random 9)))
    rm -rf other
    run env "HOLDFAST_TEST_STOP_AT=$at_step" backup-catalog import one.tar.gz --store other --new-store
    done=$STATUS
    # As soon as it can be seen, all that is known of it can be.
    if [ "$(count dev other)" = 1 ]; then known other; fi
    expect 0 backup-catalog import one.tar.gz --store other --new-store
    known other
    # And this machine misses it when it disappears.
    rm -rf "other/dev/$id"
    run backup-guard --store other
    grep -qF "$id" "$OUT" "$ERR" || wrong "it is not missed: $at_step"
    [ "$done" != 0 ] || break
done
[ "$at_step" -gt 30 ] || wrong "only $at_step steps"

# What was said since, here, stays.
expect 0 backup-catalog unpin "$id" --store first
expect 0 backup-catalog import one.tar.gz --store first
expect 0 backup-catalog list --store first --json
is "$(value '.backups[0].pin')" null 'the pin that was taken away'

# What an import would refuse is not exported.
head -c 17000000 /dev/zero | tr '\0' '\n' >>"backups/checks/$id.jsonl"
expect 4 backup-catalog export "$id" -o two.tar.gz
says 'an export takes at most'
[ ! -e two.tar.gz ] || wrong 'a file that nobody can read was written'
