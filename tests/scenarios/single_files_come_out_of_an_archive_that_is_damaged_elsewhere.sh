#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

mkdir -p media/album
head -c 3000000 /dev/urandom >media/a
head -c 3000000 /dev/urandom >media/b
echo c >media/album/c.txt
ln media/album/c.txt media/d.txt
ln -s c.txt media/album/link
config 'env.dev.files = ["media"]'
expect 0 backup-full
folder=$(backup)

# Some of it, by name, by folder, by path.
expect 0 restore-db latest --files-to some --only album --only 'media/?'
is "$(cd some && find . -type f -o -type l | sort | tr '\n' ' ')" './media/a ./media/album/c.txt ./media/album/link ./media/b ' 'what is chosen'
cmp media/a some/media/a
says '3 files, '
# The further name of a file alone is the file.
expect 0 restore-db latest --files-to other --only d.txt
is "$(cd other && find . -type f)" ./media/d.txt 'a further name'
is "$(cat other/media/d.txt)" c 'its content'
expect 2 restore-db latest --files-to none --only nothing
says 'nothing in'
is "$(restore-db latest --files-to none --only nothing 2>&1 | sed -n 's/^hint: \(.*\) shows.*/\1/p')" \
    "restore-db $(basename "$folder") --preview --all" 'the command that shows all'
expect 0 restore-db latest --preview --all
prints media/album/c.txt
[ ! -e none ] || wrong 'a folder was made for nothing'

# The middle of a is damaged: b and the small ones are still to be had, and a never is.
printf 'oops' | dd of="$folder/files.tar.gz" bs=1 seek=1500000 conv=notrunc 2>/dev/null
expect 0 restore-db latest --files-to rest --only 'media/[b-z]*' --only album
cmp media/b rest/media/b
is "$(cat rest/media/album/c.txt)" c 'a small one'
expect 3 restore-db latest --files-to bad --only a
says 'is damaged in frame'
[ ! -e bad/media/a ] || wrong 'half a file was restored'
says '/bad is left unfinished, with what was restored by then'
# Whoever finds it writes it down.
says 'backup-guard --verify structure'
is "$(restore-db --list --json | jq -r '.backups[0].verdict')" damaged 'what the list says'
expect 3 backup-guard
# No next step leads to the damaged one again.
expect 4 restore-db latest --files-to bad --only b
says "$(basename "$folder") is damaged"
lacks "$ERR" 'finish that one'
lacks "$ERR" 'rm -r'
sh -c "$(sed -n 's/.*to keep what is there: //p' "$ERR")"
[ ! -e bad/.holdfast-unfinished ] || wrong 'what is kept is still called unfinished'
expect 0 restore-db latest --files-to good --only b
cmp media/b good/media/b
mkdir over
echo mine >over/mine
expect 3 restore-db latest --files-to over --overwrite --only a
lacks "$ERR" 'rm -r'
sh -c "$(sed -n 's/.* first: //p' "$ERR")"
expect 0 restore-db latest --files-to over --overwrite --only b
is "$(find over -type f | sort | tr '\n' ' ')" 'over/media/b over/mine ' 'what is there'
expect 3 restore-db latest --files-to all
[ ! -e all/media/a ] || wrong 'half a file was restored'
