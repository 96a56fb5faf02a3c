#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"
# shellcheck source=tests/scenarios/chains.sh
. "$SCENARIOS/chains.sh"

ledger app.db 50
expect 0 at 2020-11-01T12:00:00Z backup-db app.db
full=$(made)
one=$(increment "$full" 2020-11-01T13:00:00.000Z)
expect 0 backup-catalog tag "$one" release
expect 0 backup-guard -q "$full"

expect 0 backup-catalog export "$one" -n --json
is "$(value '.backups | join(" ")')" "$full $one" "what it needs comes first"
[ ! -e "$one.tar.gz" ] || wrong "a dry run wrote a file"
expect 0 backup-catalog export "$one" --json
is "$(value .sha256)" "$(hash_of "$one.tar.gz")" "the hash of the file"
is "$(stat -c %a "$one.tar.gz")" 600 "its mode"
expect 2 backup-catalog export "$one"
says "is there already"

# By hand it is a folder a backup.
mkdir hand
tar -xzf "$one.tar.gz" -C hand
(cd "hand/$one" && sha256sum --quiet --strict -c SHA256SUMS) || wrong "unpacked by hand it is not whole"
diff -r "hand/$full" "backups/dev/$full" >"$OUT" || wrong "unpacked by hand it is another"

# Into a store that does not exist yet, and twice.
expect 0 backup-catalog import "$one.tar.gz" --store other -n
[ ! -e other ] || wrong "a dry run made a store"
expect 0 backup-catalog import "$one.tar.gz" --store other
prints "imported	$full"
prints "imported	$one"
for id in "$full" "$one"; do
    diff -r "other/dev/$id" "backups/dev/$id" >"$OUT" || wrong "$id is another"
    is "$(stat -c %a "other/dev/$id" "other/dev/$id/manifest.json" | tr '\n' ' ')" "700 600 " "modes of $id"
done
expect 0 backup-catalog list --store other --tag release --json
is "$(value '.backups[0].id')" "$one" "labels come along"
expect 0 backup-catalog checks "$full" --store other --json
is "$(value .matched)" 1 "checks come along"
expect 0 backup-catalog import "$one.tar.gz" --store other
prints "present	$full"
expect 0 restore-db "$full" --store other --to sqlite:restored.db
has_rows restored.db 50
# Where it came from is only what it says: the database here could be another of that name.
expect 4 restore-db "$full" --store other
says "$full was made in another store and brought into this one, and no target is named"
expect 4 restore-db "backups/dev/$full" --store other
says "$full lies outside the store, and no target is named"
has_rows app.db 50
expect 4 backup-catalog import "$one.tar.gz" --store other -e prod

# What is damaged is not exported, and leaves no file.
printf 'oops' | dd of="backups/dev/$full/database.sqlite.gz" bs=1 seek=50 conv=notrunc 2>/dev/null
expect 3 backup-catalog export "$one" -o damaged.tar.gz
says "is damaged"
is "$(find . -name '*damaged*')" "" "files of the failed export"

# Killed, or with a full disk, at any step in turn (with HOLDFAST_SOAK both): no half file, no half chain.
cp -Rp "other/dev/$full/." "backups/dev/$full/"
at_step=0
while :; do
    at_step=$((at_step + 1))
    for fault in "HOLDFAST_TEST_STOP_AT=$at_step" "HOLDFAST_TEST_FAIL_AT=$at_step:28"; do
        case $((at_step % 2))$fault${HOLDFAST_SOAK:-} in
            0*FAIL_AT=*:28 | 1*STOP_AT="$at_step") continue ;;
        esac
        rm -rf part.tar.gz third
        run env "$fault" backup-catalog export "$one" -o part.tar.gz
        exported=$STATUS
        [ ! -e part.tar.gz ] || gzip -t part.tar.gz || wrong "half an export: $fault"
        rm -f .part.tar.gz.*.part
        run env "$fault" backup-catalog import "$one.tar.gz" --store third --new-store
        imported=$STATUS
        chains_are_whole
        expect 0 backup-catalog import "$one.tar.gz" --store third --new-store
        is "$(count dev third)" 2 "backups after the import that follows $fault"
        (cd third/dev && for id in *; do (cd "$id" && sha256sum --quiet --strict -c SHA256SUMS) || exit 1; done) || wrong "not whole after $fault"
        # But for the draft of a store's own marker, which is a run's that never had a store.
        is "$(find third -name '.*.nosync' ! -name '.staging-holdfast.json-*')" "" "what is left after $fault"
    done
    [ "$exported$imported" != 00 ] || break
done
[ "$at_step" -gt 40 ] || wrong "only $at_step steps"
