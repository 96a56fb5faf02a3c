#!/bin/sh
# shellcheck disable=SC2086 # arguments are a list of words
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

ledger app.db 300
mkdir media
head -c 90000 /dev/urandom >media/photo.jpg
echo text >media/note.txt
echo setting >app.conf
config 'min_verified = 1' '[env.prod]' 'database = "app.db"' 'files = ["media"]' '[env.prod.retention]' 'keep_last = 2'
there() { backups "$2" "${3:-backups}" | grep -qx -e "$1" || wrong "$1 is gone: $4"; }
full() {
    day=$1
    shift
    expect 0 at 2026-10-${day}T00:00:00Z backup-full "$@"
}

# By hand: another file, a part of the same, another database of the same name, and the database alone.
full 01
first=$(made)
full 02
second=$(made)
for day in 10 11 12; do full $day app.conf; done
for day in 13 14 15; do full $day --include '*.txt'; done
for day in 16 17 18; do full $day --exclude '*.jpg'; done
mkdir copy
cp app.db copy/app.db
for day in 19 20 21; do full $day -e prod --database copy/app.db; done
for day in 22 23 24; do expect 0 at 2026-10-${day}T00:00:00Z backup-db copy/app.db -e prod; done
there "$first" prod backups 'others were made by hand'
there "$second" prod backups 'others were made by hand'
# Those of one thing are judged among themselves, by the rules there are.
is "$(count prod)" 13 'backups: two of each thing, and of the last one those of three days'
full 25
is "$(backups prod | grep -cx -e "$first")" 0 'the oldest of three of the same thing'
there "$second" prod backups 'the last two of one thing stay'

# What a backup is an increment of is of the same things.
full 26 --type incremental --json
is "$(value .manifest.parent)" "$(backups prod | sed -n '/20261025/p')" 'the parent'
full 27 app.conf --type incremental --json
is "$(value .manifest.parent)" "$(backups prod | sed -n '/20261012/p')" 'the parent of another thing'
full 28 --type incremental --exclude '*.jpg' --include '*.txt' --json
is "$(value .manifest.type)" full 'the first of its selection'

# What latest means for files is said before they are written: the newest is one of app.conf.
full 29 app.conf
expect 0 at 2026-10-29T01:00:00Z restore-db latest --files-to out -n
prints "holds        $PWD/app.conf"
rm -rf out
expect 0 at 2026-10-29T01:00:00Z restore-db latest --files-to out
says "it holds $PWD/app.conf"

# Two projects that know nothing of each other, in one store and under one name.
rm holdfast.toml
mkdir -p a/src b/src
head -c 9000 /dev/urandom >a/src/x
head -c 9000 /dev/urandom >b/src/y
for day in 01 02; do full $day --store shared a/src --keep-last 1; done
last=$(made)
for day in 10 11 12; do full $day --store shared b/src --keep-last 1; done
there "$last" dev shared 'another project has made backups'
