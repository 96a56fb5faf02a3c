# Folders of files that the scenarios about files share.
# shellcheck shell=sh disable=SC2016 # the inner shell's

# odd_files FOLDER: all that a file system can hold and an archive must keep.
odd_files() {
    mkdir -p "$1/album/empty" "$1/deep"
    echo one >"$1/album/one.txt"
    ln "$1/album/one.txt" "$1/album/one again.txt"
    head -c 3000000 /dev/urandom >"$1/large.bin"
    printf 'with holes' >"$1/sparse.img"
    truncate -s 5G "$1/sparse.img"
    printf 'more' | dd of="$1/sparse.img" bs=1 seek=3000000000 conv=notrunc 2>/dev/null
    truncate -s 300000 "$1/only a hole"
    : >"$1/empty"
    echo quoted >"$1/a 'quoted' \"name\"\\"
    echo lines >"$(printf '%s/two\nlines' "$1")"
    echo bytes >"$(printf '%s/no text \377\376' "$1")"
    echo umlaut >"$1/Größe.txt"
    long=$(printf '%0200d' 7)
    mkdir -p "$1/deep/$long/$long"
    echo long >"$1/deep/$long/$long/$long"
    echo long >"$(printf '%s/deep/%s/\377%s' "$1" "$long" "$long")"
    ln -s ../album/one.txt "$1/deep/link"
    ln -s /etc/passwd "$1/absolute link"
    ln -s "$long/$long" "$1/deep/long link"
    ln -s loop "$1/loop"
    ln -s .. "$1/album/up"
    chmod 640 "$1/album/one.txt"
    chmod 750 "$1/album/empty"
    chmod 400 "$1/empty"
    touch -d '1960-02-03 04:05:06.25' "$1/large.bin"
    touch -h -d '2001-02-03 04:05:06.123456789' "$1/loop"
    touch -d '2001-02-03 04:05:06.5' "$1/album/empty"
}

# listed FOLDER: everything below it, with all that is to come back: type, mode, time, length, where a link leads, content.
listed() {
    (
        cd "$1" || exit
        find . -mindepth 1 \( -type d -printf '%p %y %m %T@\0' -o -type l -printf '%p %y %T@ %l\0' -o -printf '%p %y %m %T@ %s %n\0' \) | sort -z | tr '\0' '\n'
        # A file with large holes is compared by its data: hashing five gigabytes of zeros proves nothing more.
        find . -type f -size -100M -print0 | sort -z | xargs -0 -r sha256sum
        find . -type f -size +100M -print0 | sort -z | xargs -0 -r -n 1 sh -c 'od -A d -c -N 4096 "$1"; od -A d -c -j 2999998976 -N 4096 "$1"' sh
    )
}

# same_files WANTED FOUND
same_files() {
    listed "$1" >"$SAID/wanted"
    listed "$2" >"$SAID/found"
    cmp -s "$SAID/wanted" "$SAID/found" || wrong "$2 is not $1: $(diff -a "$SAID/wanted" "$SAID/found" | head -20)"
}
