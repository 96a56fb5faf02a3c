#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

mkdir media
for name in a b c; do head -c 30000 /dev/urandom >"media/$name"; done
config 'env.dev.files = ["media"]'
expect 0 at 2020-11-01T12:00:00Z backup-full
full=$(made)
echo more >media/d
expect 0 at 2020-11-01T13:00:00Z backup-full --type incremental
one=$(made)
expect 0 backup-catalog export "$full" -o full.tar.gz
expect 0 backup-catalog export "$one" -o good.tar.gz
mkdir good
tar -xzf good.tar.gz -C good
tar -tzf good.tar.gz >names

# edited ID FILTER: bad.tar.gz is the export with this change in the manifest, whose sums are right again.
edited() {
    rm -rf bad
    cp -Rp good bad
    jq "$2" "good/$1/manifest.json" >"bad/$1/manifest.json"
    (cd "bad/$1" && sed 's/^[0-9a-f]*  //' SHA256SUMS | xargs sha256sum >../sums && mv ../sums SHA256SUMS)
    tar --format=ustar --no-recursion -C bad -T names -cf - | gzip -1 >bad.tar.gz
}
edited "$one" .
expect 0 backup-catalog import bad.tar.gz --store "as-it-is"

# Whether its base is there already or not.
for base in '' full.tar.gz; do
    rm -rf other
    if [ -n "$base" ]; then expect 0 backup-catalog import "$base" --store other --new-store; fi
    before=$(backups dev other)
    for change in '.components[0].files.files += 5' '.components[0].plain_bytes = 4611686018427387904' '.components[0].chunks += 1' \
        '.components[0].sources[0].index_sha256 = ("0" * 64)' '.components[0].sources = []' '.parent = null | .type = "full"'; do
        edited "$one" "$change"
        expect 3 backup-catalog import bad.tar.gz --store other --new-store
        is "$(backups dev other)" "$before" "the backups after $change"
    done
    # A base that is another one, under the same name.
    edited "$full" '.reason = "another"'
    run backup-catalog import bad.tar.gz --store other --new-store
    if [ -n "$base" ]; then
        is "$STATUS" 4 'status of another base'
        is "$(backups dev other)" "$before" 'the backups after another base'
    fi
done
nothing_left
