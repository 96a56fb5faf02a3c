#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

for number in 1 2 3 4 5 6 7 8; do echo "content $number" >"f$number.txt"; done
echo shared >a.txt
expect 0 file-versions save a.txt -m begin
# Eight saves of eight files, eight of one file that changes all the while, and a collection between them.
for number in 1 2 3 4 5 6 7 8; do
    file-versions save "f$number.txt" -m one >"out$number" 2>"err$number" &
    { echo "from $number" >"a$number.new" && mv "a$number.new" a.txt && file-versions save a.txt -m many >"many$number" 2>"merr$number"; } &
    file-versions gc -q >"gc$number" 2>"gerr$number" &
done
wait
cat err? merr? gerr? >"$ERR"
for number in 1 2 3 4 5 6 7 8; do
    [ -s "out$number" ] || wrong "save $number of a file of its own failed"
    [ -s "many$number" ] || wrong "save $number of the common file failed"
    [ -s "gc$number" ] || wrong "collection $number failed"
    expect 0 file-versions cat "f$number.txt"
    is "$(cat "$OUT")" "content $number" "f$number.txt"
done
expect 0 file-versions log a.txt --json
is "$(value '[.versions[].parent][:-1] == [.versions[].id][1:]')" true 'each version has the one before it for its parent'
expect 0 file-versions stats --verify
nothing_left
# Who may not wait is told who is at it; the one that is halted goes on afterwards.
head -c 60000000 /dev/urandom >big
file-versions save big -m big >big.out 2>big.err &
VICTIM=$!
wait_for 'a draft' sh -c 'ls backups/versions/.staging-*'
kill -STOP "$VICTIM"
echo other >a.txt
for command in 'save a.txt -m other' 'restore f1.txt' 'tag f1.txt t' gc; do
    # shellcheck disable=SC2086 # words
    expect 5 file-versions $command --wait 0s
    says "held by file-versions, pid $VICTIM"
    prints_nothing
done
expect 0 file-versions log
expect 0 file-versions cat f1.txt
kill -CONT "$VICTIM"
expect 0 file-versions save a.txt -m other
wait "$VICTIM" || wrong 'the save that was halted failed'
expect 0 file-versions cat big
cmp -s "$OUT" big || wrong 'the content of the save that was halted'
expect 0 file-versions stats --verify
nothing_left
