#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

mkdir -p media/album outside
echo content >media/album/file
echo second >media/album/second
ln -s "$PWD/outside" media/link
echo keep >outside/victim
chmod 4755 media/album/file
config 'compression = "none"' 'env.dev.files = ["media"]'
expect 0 backup-full
good=$(backup)

# forged WHAT SED-SCRIPT [JQ-FILTER]: a copy of the backup whose inventory (and manifest) somebody has edited, with all hashes right
# again. It is refused before anything is written.
forged() {
    rm -rf bad target
    cp -r "$good" bad
    sed "$2" "$good/files.inventory.jsonl" >bad/files.inventory.jsonl
    cmp -s "$good/files.inventory.jsonl" bad/files.inventory.jsonl && [ -z "${3:-}" ] && wrong "$1: nothing was edited"
    size=$(wc -c <bad/files.inventory.jsonl | tr -d ' ')
    jq --argjson size "$size" --arg sha "$(hash_of bad/files.inventory.jsonl)" \
        ".components[0].files.inventory |= (.bytes = \$size | .plain_bytes = \$size | .sha256 = \$sha) | ${3:-.}" "$good/manifest.json" >bad/manifest.json
    (cd bad && rm SHA256SUMS && sha256sum -- * >SHA256SUMS.new && mv SHA256SUMS.new SHA256SUMS && chmod 600 ./*)
    expect 3 restore-db ./bad --files-to target
    [ ! -e target ] || wrong "$1: something was written"
    is "$(find victim outside/file 2>/dev/null)" '' "$1: something was written elsewhere"
    is "$(cat outside/victim)" keep "$1: a file outside"
    [ -z "${4:-}" ] || says "$4"
    expect 3 backup-guard --verify structure ./bad
}
last='media\/link'
forged 'a path upwards' 's/"media\/album\/file"/"media\/..\/..\/victim"/' '' 'must not be restored'
forged 'an absolute path' 's/"media\/album\/file"/"\/tmp\/holdfast-victim"/' '' 'it is absolute'
forged 'a dot' 's/"media\/album\/file"/"media\/.\/victim"/'
forged 'an empty part' 's/"media\/album\/file"/"media\/\/victim"/'
forged 'a path in hex' 's/"path":"media\/album\/file"/"path_hex":"2e2e2f76696374696d"/' '' 'it leads out of its folder'
forged 'a zero byte' 's/"path":"media\/album\/file"/"path_hex":"6d656469612f6100"/' '' 'zero byte'
forged 'a file in a link' 's/"path":"media\/album","type":"folder"/"path":"media\/album","type":"link","target":"\/tmp"/' '' 'no folder of the archive'
forged 'a path through a link' "s/\"$last\"/\"media\/album\"/"
forged 'a name twice' 's/"media\/album\/second"/"media\/album\/file"/' '' 'it occurs twice'
forged 'a hard link outwards' "s/\"type\":\"link\"/\"type\":\"hardlink\"/" '' 'it is a link to something outside'
forged 'a hard link upwards' "s/\"type\":\"link\"/\"type\":\"hardlink\"/; s/\"target\":\"[^\"]*\"/\"target\":\"..\/..\/etc\/passwd\"/"
forged 'a device' 's/"type":"file"/"type":"device"/' '' 'damaged'
forged 'a larger file' 's/"bytes":8/"bytes":80000000000/'
forged 'a place elsewhere' 's/"offset":[0-9]*/"offset":0/' '' 'not possible'
forged 'no length' 's/"length":[0-9]*/"length":18446744073709551104/' '' 'not possible'
forged 'more than was declared' '1s/x/x/' '.components[0].files.files = 1' 'more than the manifest declares'
forged 'less than was declared' '1s/x/x/' '.components[0].files.files = 10' 'less than the manifest declares'
forged 'a bomb' '1s/x/x/' '.components[0].files.inventory.plain_bytes = 100' 'longer than its manifest says'
forged 'an inventory elsewhere' '1s/x/x/' '.components[0].files.inventory.file = "../../outside/victim"'
# What is another than in the archive is found by the guard, and by the restore at the latest when it has read it.
rm -rf bad
cp -r "$good" bad
sed 's/"mode":"4755"/"mode":"0777"/' "$good/files.inventory.jsonl" >bad/files.inventory.jsonl
jq --arg sha "$(hash_of bad/files.inventory.jsonl)" '.components[0].files.inventory.sha256 = $sha' "$good/manifest.json" >bad/manifest.json
(cd bad && rm SHA256SUMS && sha256sum -- * >SHA256SUMS.new && mv SHA256SUMS.new SHA256SUMS && chmod 600 ./*)
expect 3 backup-guard ./bad --verify structure
prints 'media/album/file in files.tar is not what the inventory says: its mode'
sed 's/"sha256":"...../"sha256":"00000/' "$good/files.inventory.jsonl" >bad/files.inventory.jsonl
jq --arg sha "$(hash_of bad/files.inventory.jsonl)" '.components[0].files.inventory.sha256 = $sha' "$good/manifest.json" >bad/manifest.json
(cd bad && rm SHA256SUMS && sha256sum -- * >SHA256SUMS.new && mv SHA256SUMS.new SHA256SUMS && chmod 600 ./*)
for only in '*' file; do
    rm -rf target
    expect 3 restore-db ./bad --files-to target --only "$only"
    says 'media/album/file in the archive is not what the inventory says'
    [ ! -e target/media/album/file ] || wrong 'content that is not what it should be was restored'
done
rm -rf target

# What is in the folder leads nowhere either: a link in place of a folder, of a file, of the file that is written first.
mkdir target
ln -s ../outside target/media
expect 7 restore-db latest --files-to target --overwrite
says 'nothing is written through it'
is "$(ls outside)" victim 'the folder outside'
rm -r target
mkdir -p target/media/album
ln -s "$PWD/outside/victim" target/media/album/file
ln -s "$PWD/outside/victim" target/media/album/.holdfast-new.part
expect 0 restore-db latest --files-to target --overwrite
is "$(cat outside/victim)" keep 'what a link in the folder led to'
is "$(cat target/media/album/file)" content 'the file in its place'
is "$(readlink target/media/link)" "$PWD/outside" 'a link outwards, as it was'
# Set-user bits stay behind.
is "$(stat -c %a target/media/album/file)" 755 'a mode with a set-user bit'

# Names that a file system takes for one: the second is refused, and both are named.
if [ "$(id -u)" = 0 ] && command -v mkfs.vfat >/dev/null; then
    truncate -s 20M disk
    mkfs.vfat disk >/dev/null
    mkdir mounted
    if mount -o loop disk mounted 2>/dev/null; then
        echo upper >media/album/FILE
        expect 0 backup-full
        run restore-db latest --files-to mounted/back --only album
        is "$STATUS" 7 'status where two names are one'
        says 'media/album/file is not restored as it was: there is something of this name already'
        umount mounted
    fi
fi

# A protected environment's own files are not replaced.
config 'compression = "none"' '[env.dev]' 'files = ["media"]' 'protected = true'
expect 4 restore-db latest --files-to . --overwrite
says 'protected environment dev'
expect 4 restore-db latest --files-to media/album --overwrite
