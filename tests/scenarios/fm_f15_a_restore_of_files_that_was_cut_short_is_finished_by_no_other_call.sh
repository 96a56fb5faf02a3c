#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

mkdir media
for file in a b c d e f g h; do echo "A $file" >media/$file; done
echo 'config of A' >media/config
ln -s a media/link
ln media/a media/more
expect 0 backup-full media
first=$(made)
rm media/h
echo 'config of B' >media/config
expect 0 backup-full media
second=$(made)

# killed: a restore of the first backup is killed halfway.
STEP=15
killed() {
    while :; do
        rm -rf out
        run env HOLDFAST_TEST_STOP_AT=$STEP restore-db "$first" --files-to out
        is "$STATUS" 137 'status when killed'
        [ ! -e out/media/d ] || break
        STEP=$((STEP + 1))
    done
    [ ! -e out/media/h ] || wrong 'it was killed too late'
}
killed
before=$(snapshot out)
for flags in "$second" "$second --overwrite" "$first --only config" "$first --only config --overwrite" "$first --owner"; do
    # shellcheck disable=SC2086 # several words
    expect 4 restore-db $flags --files-to out
    says 'was cut short'
    says "restore-db $first --files-to"
    is "$(snapshot out)" "$before" "what $flags left"
done

# What somebody has put there since then is not replaced, but where it is said.
echo 'my own work' >out/media/b
ln -sfn elsewhere out/media/link
expect 7 restore-db "$first" --files-to out
says 'media/b is not restored as it was: what is there now was not made by the restore that was cut short'
says 'media/link is not restored as it was'
is "$(cat out/media/b)" 'my own work' 'a file of somebody else'
is "$(readlink out/media/link)" elsewhere 'a link of somebody else'
is "$(cat out/media/config out/media/h | tr '\n' ' ')" 'config of A A h ' 'the rest'
[ ! -e out/.holdfast-unfinished ] || wrong 'it is finished, and named what it is not'

# A copy of what is in the backup is no loss, and a file that a power cut has emptied has its time.
killed
echo 'A b' >out/media/b
touch -r out/media/c "$SAID/time"
: >out/media/c
touch -r "$SAID/time" out/media/c
expect 0 restore-db "$first" --files-to out
is "$(cat out/media/b out/media/c out/media/config out/media/h out/media/more | tr '\n' ' ')" 'A b A c config of A A h A a ' 'all'
is "$(stat -c %h out/media/a)" 2 'names of a file'
killed
echo 'my own work' >out/media/b
expect 0 restore-db "$first" --files-to out --overwrite
is "$(cat out/media/b)" 'A b' 'where it is said'

# One that was to replace is finished by one that is.
rm -rf out
mkdir -p out/media
echo mine >out/media/h
run env HOLDFAST_TEST_STOP_AT=$STEP restore-db "$first" --files-to out --overwrite
is "$STATUS" 137 'status when killed'
expect 4 restore-db "$first" --files-to out
says --overwrite
expect 0 restore-db "$first" --files-to out --overwrite
is "$(cat out/media/h)" 'A h' 'what was to be replaced'
