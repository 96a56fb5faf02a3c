#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

# A folder of the application that has the same name is in nobody's way.
mkdir versions
echo own >versions/own
echo one >notes
config 'include_versions = true' '[env.dev]' 'files = ["versions"]'
expect 0 backup-full -e dev

expect 0 restore-db latest -e dev --files-to none
is "$(ls none)" versions "without any version"
expect 0 file-versions save notes -m first
echo two >notes
expect 0 file-versions save notes -m second
expect 0 backup-full -e dev --type incremental --json
is "$(value '.manifest.components | map(.role) | join(" ")')" 'files versions' "the components"
expect 0 backup-guard -e dev --verify restore
expect 0 restore-db latest -e dev --files-to back
is "$(find back -mindepth 1 -maxdepth 1 -printf '%f ' | tr ' ' '\n' | sort | tr '\n' ' ')" 'versions versions-of-files ' "what came back"
diff -r backups/versions back/versions-of-files || wrong "the versions are not those of the store"
is "$(cat back/versions/own)" own "the application's own"
# Put into a new store, they are what they were.
sqlite3 app.db "CREATE TABLE t (a)"
expect 0 backup-db app.db --store other -e dev
cp -R back/versions-of-files other/versions
find other/versions -type d -exec chmod 700 {} +
expect 0 file-versions cat notes --store other latest~1
is "$(cat "$OUT")" one "the first version"
# Without the key the store's own folder stays where it is.
config '[env.dev]' 'files = ["versions"]'
expect 0 backup-full -e dev --json
is "$(value '.manifest.components | map(.role) | join(" ")')" files "the components"
nothing_left
