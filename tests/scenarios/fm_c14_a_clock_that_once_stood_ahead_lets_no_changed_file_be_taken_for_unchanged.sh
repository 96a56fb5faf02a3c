#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

[ "$(id -u)" = 0 ] || not_run 'only root can mount'
# Small inodes have whole seconds: a file that is rewritten within one, after it was read, has the same times.
truncate -s 8M disk.img
mkfs.ext4 -q -I 128 disk.img 2>/dev/null || not_run 'there is no mkfs.ext4'
mkdir disk
mount -o loop disk.img disk 2>/dev/null || not_run 'nothing can be mounted here'
trap 'umount disk' EXIT
mkdir disk/d
echo zero >disk/d/f
tomorrow=$(date -u -d '+1 day' +%Y-%m-%dT%H:%M:%SZ)
expect 0 at "$tomorrow" backup-full disk/d
# Until both writes and the backup between them fall into one second.
tries=0
while :; do
    tries=$((tries + 1))
    [ "$tries" -le 12 ] || not_run 'this machine is too slow for one second'
    while [ "$(date +%N | sed 's/^0*//')" -gt 40000000 ]; do sleep 0.005; done
    printf 'AAAA%03d\n' $tries >disk/d/f
    first=$(stat -c '%y %z' disk/d/f)
    expect 0 backup-full --type incremental disk/d
    printf 'BBBB%03d\n' $tries >disk/d/f
    [ "$(stat -c '%y %z' disk/d/f)" != "$first" ] || break
done
sleep 1.1
expect 0 backup-full --type incremental disk/d
expect 0 restore-db latest --files-to out
is "$(cat out/d/f)" "$(cat disk/d/f)" 'what came back'
