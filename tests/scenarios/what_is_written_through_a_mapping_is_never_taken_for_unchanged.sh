#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

command -v python3 >/dev/null || not_run 'there is no python3'
# writer FILE: maps a file, and writes what is said to it into its first page.
cat >"$SAID/writer.py" <<'END'
import mmap, sys
file = open(sys.argv[1], "r+b")
pages = mmap.mmap(file.fileno(), 0)
for line in sys.stdin:
    pages[0:8] = line.strip().encode()
    print("written", flush=True)
END
mkfifo "$SAID/told"
# backed_up_twice: the page is dirty when the first backup reads it, and written once more before the second.
backed_up_twice() {
    mkdir -p data
    head -c 8192 /dev/zero | tr '\0' x >data/db.mmap
    echo other >data/other
    sync data/db.mmap
    : >"$SAID/heard"
    python3 "$SAID/writer.py" data/db.mmap <"$SAID/told" >"$SAID/heard" &
    writer=$!
    exec 9>"$SAID/told"
    echo VERSION1 >&9
    wait_for 'the first version' grep -q written "$SAID/heard"
    # Old enough for its times to be believed.
    sleep 3.2
    expect 0 backup-full data
    echo VERSION2 >&9
    wait_for 'the second version' sh -c "[ \$(wc -l <'$SAID/heard') = 2 ]"
    expect 0 backup-full --type incremental data
    expect 0 restore-db latest --files-to "$1"
    is "$(head -c 8 "$1/data/db.mmap")" VERSION2 'what came back'
    exec 9>&-
    wait "$writer"
    expect 0 backup-full --type incremental data
    expect 0 restore-db latest --files-to "$1-later"
    is "$(head -c 8 "$1-later/data/db.mmap")" VERSION2 'what came back after the writer had ended'
}
backed_up_twice out

# Where the kernel does not stamp such writes at all, nothing is taken for unchanged.
[ "$(id -u)" = 0 ] || exit 0
mkdir memory
mount -t tmpfs none memory 2>/dev/null || exit 0
trap 'cd / && umount "$OLDPWD"' EXIT
cd memory
backed_up_twice ../out-memory
cd ..
trap - EXIT
umount memory
