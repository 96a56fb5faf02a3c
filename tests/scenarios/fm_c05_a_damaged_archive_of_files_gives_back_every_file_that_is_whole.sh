#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

recover() { python3 "$SCENARIOS/../../scripts/recover" "$@"; }
mkdir -p media/album
for name in $(seq 10 59); do head -c 60000 /dev/urandom >"media/album/$name"; done
ln media/album/30 media/again
ln -s album/31 media/link
for method in gzip zstd none; do
    config "compression = \"$method\"" "store = \"$method\"" 'env.dev.files = ["media"]'
    expect 0 at 2020-11-01T12:00:00Z backup-full
    full=$(backup)
    echo new >"media/z-$method"
    expect 0 at 2020-11-01T13:00:00Z backup-full --type incremental
    one=$(backup)
    # The first frame, with the first headers, and one in the middle.
    for place in 300 1500000; do printf 'oops' | dd of="$(ls "$full"/files.tar*)" bs=1 seek="$place" conv=notrunc 2>/dev/null; done
    for folder in "$full" "$one"; do
        expect 3 recover --role files "$folder" out.tar
        [ ! -e out.tar ] || wrong 'half an archive is left'
        expect 3 recover --salvage --role files "$folder" out.tar
        says 'entries are lost'
        cp "$ERR" lost
        mkdir back
        expect 0 tar -xpf out.tar -C back
        says_nothing
        kept=$(find back -type f | wc -l)
        [ "$kept" -ge 30 ] || wrong "$method: only $kept files came back of $folder"
        # Whatever came back is whole, and what did not is named.
        (cd back && find . -type f) | while read -r name; do cmp "$name" "back/$name" || wrong "$name is another"; done
        find media -type f | while read -r name; do
            [ -e "back/$name" ] || [ "$folder-$name" = "$full-media/z-$method" ] || grep -qF "\"$name\"" lost || wrong "$name is lost, and not named"
        done
        rm -rf back out.tar
    done
    # Without the inventory, what tar can still find.
    printf 'oops' | dd of="$(ls "$full"/files.inventory*)" bs=1 seek=30 conv=notrunc 2>/dev/null
    expect 3 recover --salvage --role files "$full" out.tar
    says '--ignore-zeros'
    rm -f out.tar "media/z-$method"
done
# Of whole ones nothing is left out.
config 'store = "good"' 'env.dev.files = ["media"]'
expect 0 backup-full
expect 0 recover --salvage --role files "$(backup)" out.tar
mkdir back
expect 0 tar -xpf out.tar -C back
diff -r media back/media >"$OUT" || wrong 'a whole archive is another'
