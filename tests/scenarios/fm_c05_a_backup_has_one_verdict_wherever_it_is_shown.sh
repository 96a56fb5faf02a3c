#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

ledger app.db 2000
expect 0 backup-db app.db
full=$(made)
add_row app.db
expect 0 backup-db --type incremental app.db
increment=$(made)
# verdict WORD LEVEL: what list, show and restore-db say of the increment, and whether it is among the bad ones.
verdict() {
    for command in 'backup-catalog list' "backup-catalog show $increment" 'restore-db --list'; do
        # shellcheck disable=SC2086 # its words
        expect 0 $command --json
        is "$(value "[., .backups[]?] | .[] | select(.id == \"$increment\") | [.verdict, .verified, .type] | @json")" \
            "[\"$1\",$2,\"incremental\"]" "$command"
    done
    expect 0 backup-catalog list --bad
    if [ "$2" = null ]; then prints "$increment"; else lacks "$OUT" "$increment"; fi
}
good='"structure"'
expect 0 backup-catalog show "$increment" --json
[ "$(value .verified)" = structure ] || good="\"$(value .verified)\""
verdict verified "$good"

# The base is gone.
mv "backups/dev/$full" "$full"
verdict stranded null
expect 0 backup-catalog list
prints "needs $full, which is not there"
expect 0 restore-db --list
prints "needs $full, which is not there"
expect 0 backup-catalog stats --json
is "$(value '.environments[0].verified')" 0 'how many are verified'
mv "$full" "backups/dev/$full"
verdict verified "$good"

# The base is damaged; a check of the base has found it, and nobody has looked at the increment.
printf X | dd of="backups/dev/$full/database.sqlite.gz" bs=1 seek=40 conv=notrunc 2>/dev/null
expect 3 backup-guard "$full"
verdict damaged null
expect 0 backup-catalog stats --json
is "$(value '.environments[0].damaged')" 2 'how many are damaged'
expect 0 restore-db --list
is "$(grep -c NO "$OUT")" 2 'bad ones in the list'
