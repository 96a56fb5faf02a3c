#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

mkdir root
echo x >root/f
expect 0 backup-full --store root/backups root/f
# A root inside of the store.
for root in root/backups/dev root/backups/dev/*-*; do
    expect 7 backup-full --store root/backups --env two "$root"
    says 'it is in the store itself'
    is "$(jq '[.components[].files.files] | add' "$(backup)/manifest.json")" 0 "files of $root"
done
# What somebody else has in the store's folder is not the store's.
mkdir root/backups/photos
echo photo >root/backups/photos/one
expect 0 backup-full --store root/backups --env four root/backups/photos
is "$(jq '[.components[].files.files] | add' "$(backup)/manifest.json")" 1 'files of somebody else'
rm -r root/backups/photos
[ "$(id -u)" = 0 ] || exit 0
mkdir root/whole root/part
mount --bind root/backups root/whole 2>/dev/null || exit 0
mount --bind root/backups/dev root/part
trap 'umount root/whole root/part' EXIT
expect 0 backup-full --store root/backups --cross-file-systems root
is "$(jq '[.components[].files.files] | add' "$(backup)/manifest.json")" 1 'files'
expect 7 backup-full --store root/backups --env three root/part
is "$(jq '[.components[].files.files] | add' "$(backup)/manifest.json")" 0 'files of a mount of a part of the store'
