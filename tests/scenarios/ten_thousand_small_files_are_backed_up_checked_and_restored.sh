#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

mkdir media
(
    cd media
    seq 1 100 | sed 's/^/folder /' | tr '\n' '\0' | xargs -0 mkdir
    seq 1 10000 | awk '{ printf "%s\n", $1 > ("folder " int(($1 + 99) / 100) "/" $1 ".txt"); close("folder " int(($1 + 99) / 100) "/" $1 ".txt") }'
)
config 'env.dev.files = ["media"]'
expect 0 backup-full
folder=$(backup)
is "$(jq .components[0].files.files "$folder/manifest.json")" 10000 'files in the manifest'
is "$(gunzip -c "$folder/files.tar.gz" | tar -tf - | wc -l | tr -d ' ')" 10101 'entries of the archive'
expect 0 backup-guard --verify restore
expect 0 restore-db latest --files-to back
diff -r media back/media || wrong 'what came back is not what was there'
expect 0 restore-db latest --files-to one --only 7777.txt
is "$(cat 'one/media/folder 78/7777.txt')" 7777 'one of them'
nothing_left
