#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

[ "$(id -u)" = 0 ] || not_run 'only root can make a file immutable'
mkdir live live/sub
for file in 1 2 3 4 5; do echo old >live/$file; done
echo old >live/sub/file
expect 0 backup-full live
for file in live/[1-5] live/sub/file; do echo new >"$file"; done
chattr +i live/3 live/sub 2>/dev/null || not_run 'this file system knows no immutable files'
trap 'chattr -i live/3 live/sub' EXIT
expect 7 restore-db latest --files-to . --overwrite
says 'live/3 is not restored as it was: cannot rename to'
says 'live/sub/file is not restored as it was'
is "$(cat live/[1-5] | tr '\n' ' ')" 'old old new old old ' 'the files'
is "$(cat live/sub/file)" new 'a file in a folder that cannot be changed'
is "$(find . -name '.holdfast*')" '' 'what is left'
