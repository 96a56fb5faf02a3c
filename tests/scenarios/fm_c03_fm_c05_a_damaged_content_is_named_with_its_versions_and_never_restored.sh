#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

head -c 700000 /dev/urandom >a.bin
cp a.bin b.bin
good=$(hash_of a.bin)
expect 0 file-versions save a.bin -m a
first=$(made)
expect 0 file-versions save b.bin -m b
second=$(made)
object=$(find backups/versions/objects -name "$good")
cp "$object" whole
echo now >a.bin
now=$(hash_of a.bin)
expect 0 file-versions save a.bin -m now

refused() {
    for command in "cat a.bin $first" "restore a.bin $first" "restore b.bin $second --to c.bin" "diff a.bin $first" "tag a.bin x $first"; do
        # shellcheck disable=SC2086 # words
        expect 3 file-versions $command
        prints_nothing
        says "$good"
        says "it is needed by $first of $PWD/a.bin, $second of $PWD/b.bin"
    done
    is "$(hash_of a.bin)" "$now" "the file after $1"
    [ ! -e c.bin ] || wrong "$1 was restored"
    expect 3 file-versions stats --verify
    says "$first of $PWD/a.bin"
    nothing_left
}
size=$(stat -c %s "$object")
# A changed byte anywhere, wherever the codec's own checksum would or would not see it.
for offset in 0 3 20 1000 $((size / 2)) $((size - 5)) $((size - 1)); do
    cp whole "$object"
    byte=$(od -An -tu1 -j "$offset" -N1 "$object" | tr -d ' ')
    printf "%b" "\\0$(printf %o $(((byte + 1) % 256)))" | dd of="$object" bs=1 seek="$offset" conv=notrunc 2>/dev/null
    # The header has a byte or two that say nothing of the content: time and system. Then the content is whole.
    if [ "$(gunzip -c "$object" 2>/dev/null | sha256sum | cut -d' ' -f1)" = "$good" ]; then continue; fi
    refused "a changed byte at $offset"
done
for length in 0 1 10 $((size / 2)) $((size - 1)); do
    head -c "$length" whole >"$object"
    refused "an object of $length bytes"
done
# Whole by its own account, and another content: the hash tells.
gzip -c a.bin >"$object"
refused 'another content'
head -c 700000 /dev/zero | gzip -c >"$object"
refused 'another content of the same length'
head -c 800000 /dev/zero | gzip -c >"$object"
refused 'one that unpacks to more'
{ cat whole && echo more; } >"$object"
refused 'one with something behind it'
rm "$object"
refused 'a missing object'
says 'is missing'
expect 3 file-versions log a.bin
says "version $first of $PWD/a.bin: object $good is missing"
ln -s /dev/zero "$object"
refused 'a link in its place'
rm "$object"

# A file that still has that content makes it whole again, and both versions with it.
expect 0 file-versions save b.bin -m heal --json
is "$(value .is_new) $(value .version.id)" "false $second" 'the file is unchanged'
expect 0 file-versions stats --verify
expect 0 file-versions restore a.bin "$first"
is "$(hash_of a.bin)" "$good" 'the restored file'
printf x | dd of="$object" bs=1 seek=1000 conv=notrunc 2>/dev/null
expect 0 file-versions save b.bin -m heal
says 'it is replaced by a whole one'
expect 0 file-versions stats --verify
