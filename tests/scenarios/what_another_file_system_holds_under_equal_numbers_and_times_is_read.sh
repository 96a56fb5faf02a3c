#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

[ "$(id -u)" = 0 ] || not_run 'only root can mount'
# Copies of one image: a file has the same number, size and times in both, and another content.
mkdir one two
truncate -s 8M one.img
mkfs.ext4 -q -O ^has_journal one.img 2>/dev/null || not_run 'there is no mkfs.ext4'
mount -o loop one.img one 2>/dev/null || not_run 'nothing can be mounted here'
trap 'umount one two 2>/dev/null || :' EXIT
echo 'release ONE' >one/app
umount one
block=$(debugfs -R 'blocks /app' one.img 2>/dev/null | tr -d ' ')
[ -n "$block" ] || not_run 'debugfs does not say where a file lies'
bytes=$(dumpe2fs -h one.img 2>/dev/null | sed -n 's/^Block size: *//p')
cp one.img two.img
printf 'release TWO' | dd of=two.img bs=1 seek=$((block * bytes)) conv=notrunc 2>/dev/null
tune2fs -U random two.img >/dev/null 2>&1 || not_run 'there is no tune2fs'
mount -o loop,ro one.img one
mount -o loop,ro two.img two
is "$(stat -c '%i %s %y %z' two/app)" "$(stat -c '%i %s %y %z' one/app)" 'what the file systems say'
is "$(cat two/app)" 'release TWO' 'the other content'
sleep 3.1
ln -s one current
expect 0 backup-full current
ln -sfn two current
expect 0 backup-full --type incremental current
expect 0 restore-db latest --files-to out
is "$(cat out/current/app)" 'release TWO' 'what came back through another link'

# The other one in the first one's place.
expect 0 backup-full --store second one
umount one two
mount -o loop,ro two.img one
expect 0 backup-full --store second --type incremental one
expect 0 restore-db --store second latest --files-to out2
is "$(cat out2/one/app)" 'release TWO' 'what came back from the same place'
umount one
