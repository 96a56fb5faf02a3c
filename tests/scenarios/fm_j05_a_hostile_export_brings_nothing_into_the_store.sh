#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

ledger app.db 50
expect 0 backup-db app.db
id=$(made)
expect 0 backup-catalog export "$id" -o good.tar.gz
expect 0 backup-db app.db --store other
mkdir good
tar -xzf good.tar.gz -C good
names="holdfast-export.json $id/SHA256SUMS $id/manifest.json $id/RESTORE.txt $id/database.index $id/database.sqlite.gz"
before=$(find other -path other/audit -prune -o -print | sort)

fresh() {
    rm -rf bad
    cp -Rp good bad
}
# pack NAMES…: bad.tar.gz of these files of the folder bad, in this order.
pack() { tar --format=ustar --no-recursion -C bad -cf - "$@" | gzip -1 >bad.tar.gz; }
# resum: SHA256SUMS of the changed folder is right again.
resum() { (cd "bad/$id" && sha256sum RESTORE.txt database.index database.sqlite.gz manifest.json >SHA256SUMS); }
refused() {
    expect "$1" backup-catalog import bad.tar.gz --store other
    is "$(find other -path other/audit -prune -o -print | sort)" "$before" "what is in the store: $2"
    nothing_left
    for path in evil ../evil other/evil /tmp/evil-of-a-test; do [ ! -e "$path" ] || wrong "something was written outside: $2"; done
}
fresh
# shellcheck disable=SC2086 # a list of names
pack $names
expect 0 backup-catalog import bad.tar.gz --store third
rm -rf third

# Names that lead elsewhere.
for name in ../evil /tmp/evil-of-a-test "$id/../../evil" "$id/sub/evil" "checks/../evil" "$id/.hidden" "$id/evil" other/evil evil; do
    fresh
    # shellcheck disable=SC2086 # a list of names
    tar --format=ustar --no-recursion -P -C bad -cf - --transform "s,^$id/RESTORE.txt\$,$name," $names | gzip -1 >bad.tar.gz
    refused 3 "the name $name"
done
# Links, folders and devices in place of a file.
for kind in symlink hardlink folder fifo; do
    fresh
    rm "bad/$id/RESTORE.txt"
    case $kind in
        symlink) ln -s /etc/passwd "bad/$id/RESTORE.txt" ;;
        hardlink) ln "bad/$id/database.index" "bad/$id/RESTORE.txt" ;;
        folder) mkdir "bad/$id/RESTORE.txt" ;;
        fifo) mkfifo "bad/$id/RESTORE.txt" ;;
    esac
    # The other end of a hard link comes first.
    pack holdfast-export.json "$id/SHA256SUMS" "$id/manifest.json" "$id/database.index" "$id/RESTORE.txt" "$id/database.sqlite.gz"
    refused 3 "a $kind"
done
# Bombs: far more bytes than the manifest says, in a file, in the head, in what stands beside; and an endless name.
for name in "$id/database.sqlite.gz" "$id/RESTORE.txt" holdfast-export.json "$id/SHA256SUMS" "$id/manifest.json"; do
    fresh
    truncate -s 200M "bad/$name"
    # shellcheck disable=SC2086 # a list of names
    pack $names
    case $name in holdfast*) refused 2 "a bomb in $name" ;; *) refused 3 "a bomb in $name" ;; esac
done
fresh
mkdir bad/labels
truncate -s 100M "bad/labels/$id.jsonl"
# shellcheck disable=SC2086 # a list of names
pack $names "labels/$id.jsonl"
refused 3 "a bomb in the labels"
fresh
long=$(printf '%0200d' 7)
cp "bad/$id/RESTORE.txt" "bad/$id/$long"
# shellcheck disable=SC2086 # a list of names
tar --format=gnu --no-recursion -C bad -cf - $names "$id/$long" | gzip -1 >bad.tar.gz
refused 3 "a long name"

# Contents: a wrong hash, a manifest of another id, environment, parent or time, one that leads elsewhere.
fresh
printf 'oops' | dd of="bad/$id/database.sqlite.gz" bs=1 seek=50 conv=notrunc 2>/dev/null
# shellcheck disable=SC2086 # a list of names
pack $names
refused 3 "a changed byte"
resum
# shellcheck disable=SC2086 # a list of names
pack $names
refused 3 "a changed byte with its hash"
for change in '.id = "20201101T120000Z-dev-db-ffff"' '.environment = "prod"' '.parent = "20201101T120000Z-dev-db-ffff"' \
    '.created_at = "2999-01-01T00:00:00.000Z"' '.components[0].file = "../evil"' '.components[0].stored_bytes = 1' '.format = 2' '.environment = ".."'; do
    fresh
    jq "$change" "good/$id/manifest.json" >"bad/$id/manifest.json"
    resum
    # shellcheck disable=SC2086 # a list of names
    pack $names
    refused 3 "$change"
done
for change in '.environment = "checks"' '.environment = "../x"' '.backups = ["../x"]' '.backups = []' '.format = 2' '.id = "x"'; do
    fresh
    jq -c "$change" good/holdfast-export.json >bad/holdfast-export.json
    # shellcheck disable=SC2086 # a list of names
    pack $names
    refused 3 "$change in the head"
done

# Order, what is missing, what comes twice, and where it ends.
fresh
for list in "holdfast-export.json $id/manifest.json $id/SHA256SUMS $id/RESTORE.txt $id/database.index $id/database.sqlite.gz" \
    "holdfast-export.json $id/SHA256SUMS $id/manifest.json $id/database.index $id/database.sqlite.gz" \
    "holdfast-export.json $id/SHA256SUMS" "holdfast-export.json" "$names $id/RESTORE.txt" "$names $names"; do
    # shellcheck disable=SC2086 # a list of names
    pack $list
    refused 3 "the list $list"
done
# shellcheck disable=SC2086 # a list of names
pack ${names#* }
refused 2 "no head"
size=$(stat -c %s good.tar.gz)
for share in 1 3 5 7 9; do
    head -c $((size * share / 10)) good.tar.gz >bad.tar.gz
    run backup-catalog import bad.tar.gz --store other
    [ "$STATUS" = 3 ] || [ "$STATUS" = 2 ] || wrong "status $STATUS for $share tenths"
    is "$(find other -path other/audit -prune -o -print | sort)" "$before" "what is in the store after $share tenths"
done
echo hello >bad.tar.gz
refused 2 "no gzip at all"

# An id that exists already: the same is fine, another is refused and both stay.
expect 0 backup-catalog import good.tar.gz --store other
expect 0 backup-catalog import good.tar.gz --store other
prints "present	$id"
fresh
jq '.reason = "another"' "good/$id/manifest.json" >"bad/$id/manifest.json"
resum
# shellcheck disable=SC2086 # a list of names
pack $names
expect 4 backup-catalog import bad.tar.gz --store other
says "has another backup $id already"
diff -r "other/dev/$id" "backups/dev/$id" >"$OUT" || wrong "the one that was there is another now"
nothing_left
