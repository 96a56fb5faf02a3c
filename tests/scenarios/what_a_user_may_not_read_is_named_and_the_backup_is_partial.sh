#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

[ "$(id -u)" = 0 ] || not_run "becoming another user takes root"
id nobody >/dev/null 2>&1 || not_run "there is no user nobody"
chmod 755 "$SAID" .
mkdir -p work/media/closed work/media/blind work/media/open work/state
echo a >work/media/open/a
echo b >work/media/closed/b
echo c >work/media/blind/c
echo d >work/media/secret
chown -R nobody work
chmod 700 work/state
chmod 0 work/media/closed work/media/secret
chmod 400 work/media/blind
cd work
as_nobody() { HOLDFAST_STATE_DIR=$PWD/state setpriv --reuid nobody --regid "$(id -g nobody)" --clear-groups "$@"; }
as_nobody backup-full --version >"$OUT" 2>&1 || not_run "another user cannot run the binaries where they are"
expect 7 as_nobody backup-full media
says 'media/closed is not in the backup as it should be: what is in it cannot be read: Permission denied'
says 'media/blind'
says 'media/secret is not in the backup as it should be: it cannot be opened: Permission denied'
id=$(made)
is "$(jq .components[0].files.incomplete_count "$(backup)/manifest.json")" 3 'how much is missing'
# The folders themselves come back, with their modes, and a scratch folder with such ones goes again.
expect 0 as_nobody backup-guard --verify restore "$id"
expect 0 as_nobody restore-db "$id" --files-to back
is "$(stat -c %a back/media/closed)" 0 'mode of a closed folder'
is "$(stat -c %a back/media/blind)" 400 'mode of a blind folder'
is "$(cat back/media/open/a)" a 'a file'
# An owner that may not be set is told, and the rest is as it was.
chown 1 media/open/a
chmod 644 media/open/a
expect 7 as_nobody backup-full media
expect 7 as_nobody restore-db "$(made)" --files-to owned --owner
says 'its owner could not be set'
is "$(cat owned/media/open/a)" a 'a file of another'
chmod 755 back/media/* owned/media/* media/*
[ -z "$(find . -name '.scratch-*')" ] || wrong 'a scratch folder is left'
