#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

echo content >file
ln -s file link
mkfifo pipe
mkdir folder
for name in link pipe folder folder/ . / /dev/null; do
    expect 2 file-versions save "$name" -m odd
    prints_nothing
done
expect 2 file-versions save link -m odd
says "name what it leads to: $PWD/file"
expect 1 file-versions save none -m odd
says "there is no file $PWD/none"
expect 2 file-versions save file
expect 2 file-versions save '' -m odd
[ -z "$(find backups/versions -name '*.json' 2>/dev/null)" ] || wrong 'something was saved'
expect 0 file-versions save file -m one
# Nothing is restored through a link, or over what is no file.
ln -s file other
for target in other pipe folder; do
    expect 2 file-versions restore file --to "$target"
done
is "$(readlink other) $(cat file)" 'file content' 'what the link leads to'
# By whatever way it is reached, a file has one history.
ln -s folder way
echo inner >folder/file
expect 0 file-versions save folder/file -m inner
for way in way/file ./folder/../way/file "$PWD/folder/file"; do
    expect 0 file-versions log "$way" --json
    is "$(value '.versions | length')" 1 "$way"
done
# Part of the store is none of our business.
expect 4 file-versions save backups/holdfast.json -m odd

# A name with a newline, one that is not UTF-8, one that looks like a flag.
newline='a
b'
bytes=$(printf 'caf\351')
for name in "$newline" "$bytes" -x 'a	b' "$(printf '%0200d' 1)"; do
    echo "content of $name" >"./$name"
    expect 0 file-versions save -m odd -- "$name"
    is "$(wc -l <"$OUT" | tr -d ' ')" 1 'lines'
    expect 0 file-versions cat -- "$name"
    cmp -s "$OUT" "./$name" || wrong 'another content'
    echo changed >"./$name"
    expect 0 file-versions restore -- "$name"
    is "$(cat "./$name")" "content of $name" 'the restored file'
    expect 0 file-versions log --json -- "$name"
    is "$(value '.versions | length')" 2 'versions'
done
expect 0 file-versions log
is "$(wc -l <"$OUT" | tr -d ' ')" 8 'a line a file, and the heading'
expect 0 file-versions stats --verify

# An empty file.
: >empty
expect 0 file-versions save empty -m empty
echo full >empty
expect 0 file-versions restore empty
is "$(stat -c '%F' empty)" 'regular empty file' 'the empty file'
is "$(find backups/versions/objects -name 'e3b0c442*' -exec gunzip -c {} + | wc -c | tr -d ' ')" 0 'the content'

# Everything is private, whatever the umask.
umask 0
echo private >private
expect 0 file-versions save private -m umask
expect 0 file-versions tag private t
is "$(find backups/versions -type f ! -perm 600 -o -type d ! -perm 700)" '' 'modes'
# One that cannot be read is told; root can read anything, so it asks as somebody else, where that user reaches this folder.
echo secret >unreadable
chmod 000 unreadable
if [ "$(id -u)" != 0 ]; then
    expect 1 file-versions save unreadable -m unreadable
    says "cannot read $PWD/unreadable"
    exit 0
fi
chmod 755 "$(dirname "$PWD")"
chmod 777 "$PWD"
mkdir -m 777 theirs
theirs() { setpriv --reuid 65534 --regid 65534 --clear-groups env HOLDFAST_STATE_DIR="$PWD/theirs/state" "$@"; }
if theirs file-versions --version >"$OUT" 2>"$ERR"; then
    expect 1 theirs file-versions save unreadable -m unreadable --store "$PWD/theirs/store"
    says "cannot read $PWD/unreadable"
    # Root brings a file of somebody else back as that one's.
    printf 'theirs' >owned
    chown 65534:65534 owned
    expect 0 file-versions save owned -m one
    echo changed >owned
    expect 0 file-versions restore owned
    is "$(stat -c %u:%g owned) $(cat owned)" '65534:65534 theirs' 'whose it is'
fi
