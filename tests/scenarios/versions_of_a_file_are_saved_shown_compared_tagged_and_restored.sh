#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

printf 'one\ntwo\n' >a.txt
at 2026-11-20T12:00:00Z expect 0 file-versions save a.txt -m first --author ann
first=$(made)
is "$(cut -f2 "$OUT")" "$PWD/a.txt" 'what save prints'
# The same content is no new version, also under another message; and another file with it takes no second object.
at 2026-11-20T13:00:00Z expect 0 file-versions save a.txt -m again --json
is "$(value .version.id) $(value .is_new) $(value .added_bytes)" "$first false 0" 'an unchanged file'
is "$(value '.notes[]')" 'unchanged: the message is not kept' 'what becomes of its message'
at 2026-11-20T13:00:00Z expect 0 file-versions save a.txt -m again -v
says 'unchanged: the message is not kept'
at 2026-11-20T13:00:00Z expect 0 file-versions save a.txt -m first -v
lacks "$ERR" 'not kept'
cp a.txt b.txt
at 2026-11-20T13:00:00Z expect 0 file-versions save b.txt -m copy --json
is "$(value .is_new) $(value .added_bytes)" 'true 0' 'a content that is there already'
is "$(find backups/versions/objects -type f | wc -l)" 1 'objects'
chmod 640 a.txt
at 2026-11-20T14:00:00Z expect 0 file-versions save a.txt -m 'another mode'
second=$(made)
[ "$second" != "$first" ] || wrong 'another mode is no new version'
printf 'one\n2\nthree' >a.txt
expect 0 file-versions diff a.txt
cat >wanted <<END
--- $PWD/a.txt	$second
+++ $PWD/a.txt	now
@@ -1,2 +1,3 @@
 one
-two
+2
+three
\ No newline at end of file
END
cmp wanted "$OUT" || wrong 'the diff is another'
# What is printed is a patch that patch(1) takes, where that is here.
if command -v patch >/dev/null; then
    file-versions cat a.txt >patched
    file-versions diff a.txt | patch -s patched
    cmp a.txt patched || wrong 'the diff does not lead from the version to the file'
fi
expect 0 file-versions diff a.txt --stat
is "$(cat "$OUT")" "$PWD/a.txt	+2 -1" 'the counts'
at 2026-11-21T12:00:00Z expect 0 file-versions save a.txt -m third
third=$(made)
expect 0 file-versions diff a.txt
prints_nothing
printf '\0\1\2' >a.txt
expect 0 file-versions diff a.txt
prints "binary, differs: 11 bytes in $third, 3 bytes in now"
expect 0 file-versions diff a.txt "$first" "$third" --json
is "$(value .added_lines) $(value .removed_lines) $(value .is_binary) $(value .is_same)" '2 1 false false' 'two versions'

# The index says all that there is to a version, in JSON, and an object is opened by gunzip.
record=$(find backups/versions/index -name "$third.json")
is "$(jq -r '[.format, .file, .parent, .created_at, .author, .message, .bytes, .mode] | join(" ")' "$record")" \
    "1 $PWD/a.txt $second 2026-11-21T12:00:00.000Z $(id -un) third 11 640" 'the record'
sha=$(jq -r .sha256 "$record")
object=backups/versions/objects/$(echo "$sha" | cut -c1-2)/$(echo "$sha" | cut -c3-4)/$sha
is "$(gunzip -c <"$object" | sha256sum | cut -d' ' -f1)" "$sha" 'the hash of what gunzip gives'
is "$(basename "$record" .json)" "20261121T120000Z-$(hash_of "$record" | cut -c1-12)" 'the id, from the hash of the record'

# Every way to say which version.
expect 0 file-versions tag a.txt v1.0 latest~1
for selector in "$second" v1.0 latest~1 @2026-11-20 20261120T14 "$third~1" '@2026-11-20T14:00Z'; do
    expect 0 file-versions cat a.txt "$selector" --json
    is "$(value .version.id)" "$second" "$selector"
done
for selector in "$first" latest~2 v1.0~1 v1.0~ @2026-11-20T13:59Z; do
    expect 0 file-versions cat a.txt "$selector" --json
    is "$(value .version.id)" "$first" "$selector"
done
expect 3 file-versions cat a.txt latest~3
expect 3 file-versions cat a.txt v2
expect 3 file-versions cat a.txt @2026-11-19
expect 3 file-versions cat none.txt
says 'there is no version of this file'
expect 2 file-versions cat a.txt 2026
expect 2 file-versions cat a.txt ../x
prints_nothing

# A tag is moved only where that is meant, taken away, and told from another that some file systems would not tell from it.
expect 4 file-versions tag a.txt v1.0 latest
says '--force moves it'
expect 4 file-versions tag a.txt V1.0 latest
expect 2 file-versions tag a.txt latest
expect 2 file-versions tag a.txt ../up
expect 0 file-versions tag a.txt v1.0 latest --force
expect 0 file-versions tag a.txt --json
is "$(value '.tags[0].version.id')" "$third" 'the moved tag'
expect 0 file-versions tag a.txt v1.0 --delete
expect 3 file-versions tag a.txt v1.0 --delete

# A restore over a file that is in no version saves it first; with its mode it comes back.
chmod 600 a.txt
expect 0 file-versions restore a.txt "$second" -n --json
is "$(value .present)" to-be-saved 'the plan'
expect 0 file-versions restore a.txt "$second" --json
kept=$(value .kept)
is "$(cat a.txt) $(stat -c %a a.txt)" 'one
two 640' 'the restored file'
expect 0 file-versions cat a.txt "$kept"
printf '\0\1\2' | cmp - "$OUT" || wrong 'what was there before is not in its version'
# Restored once more there is nothing to do, and nothing is saved.
expect 0 file-versions restore a.txt "$second" --json
is "$(value .is_changed) $(value .kept)" 'false null' 'the second time'
# And back: what is there now is a version already.
expect 0 file-versions restore a.txt "$kept" --json
is "$(value .kept)" "$second" 'what was there'
is "$(stat -c %a a.txt)" 600 'the mode'
expect 0 file-versions log a.txt --json
is "$(value '.versions | length')" 4 'versions'
# To another place, and of a file that is gone.
rm a.txt
expect 0 file-versions restore a.txt "$third" --to c.txt
is "$(cat c.txt)" "$(printf 'one\n2\nthree')" 'the other place'
[ ! -e a.txt ] || wrong 'it went to its own place too'
expect 0 file-versions restore a.txt "$third"
cmp a.txt c.txt || wrong 'the file that was gone is another now'
echo mine >c.txt
expect 0 file-versions restore a.txt latest --to c.txt --json
expect 0 file-versions cat c.txt "$(value .kept)"
is "$(cat "$OUT")" mine 'what was at the other place'
expect 1 file-versions restore a.txt --to none/c.txt
nothing_left

expect 0 file-versions stats --json
is "$(value .files) $(value '.problems | length')" '3 0' 'the figures'
[ "$(value .dedup_bytes)" -gt 0 ] || wrong 'nothing was saved by keeping contents once'
expect 0 file-versions stats --verify
expect 0 file-versions log
prints "$PWD/b.txt"
# Who did what.
expect 0 backup-guard audit --operation restore --json
is "$(value '[.lines[] | select(.event == "outcome" and .tool == "file-versions")] | length')" 7 'restores in the trail'
expect 0 backup-guard
