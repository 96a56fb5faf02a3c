#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

for number in 1 2 3; do
    echo "content $number" >a.txt
    expect 0 file-versions save a.txt -m "$number"
    eval "id$number=\$(made)"
done
# shellcheck disable=SC2154 # by eval
expect 0 file-versions tag a.txt good "$id1"
# shellcheck disable=SC2154 # by eval
record=$(find backups/versions/index -name "$id2.json")
cp "$record" record
for damage in cut empty edited none; do
    case $damage in
        cut) head -c 100 record >"$record" ;;
        empty) : >"$record" ;;
        edited) sed 's/content\|"2"/"x"/' record >"$record" ;;
        none) cp record "$record" && break ;;
    esac
    expect 3 file-versions log a.txt --json
    is "$(value '.versions | length') $(value '.problems | length')" '2 1' "what is left of a record that is $damage"
    says "$id2"
    # The others are there; what cannot be told is not guessed.
    expect 0 file-versions cat a.txt
    is "$(cat "$OUT")" 'content 3' latest
    expect 3 file-versions cat a.txt latest~1
    says "$id2"
    expect 3 file-versions restore a.txt "$id2"
    expect 0 file-versions cat a.txt good
    # Nobody knows what it needs, so nothing is removed.
    at 2030-01-01T00:00:00Z expect 3 file-versions gc --keep-last 1
    says 'nothing is removed'
    expect 3 file-versions stats
    is "$(find backups/versions/objects -type f | wc -l)" 3 objects
done
# shellcheck disable=SC2154 # by eval
newest=$(find backups/versions/index -name "$id3.json")
cp "$newest" record
head -c 50 record >"$newest"
expect 3 file-versions restore a.txt latest
says 'it cannot be told which version is meant'
is "$(cat a.txt)" 'content 3' 'the file'
# A save goes on after it, and says so.
echo 'content 4' >a.txt
expect 0 file-versions save a.txt -m 4 --json
says "$id3"
is "$(value .version.parent)" "$id3" 'the parent'
cp record "$newest"
expect 0 file-versions log a.txt --json
is "$(value '[.versions[].id] | length')" 4 'all versions'
# A tag too.
tag=$(find backups/versions/tags -name good.json)
cp "$tag" tag
: >"$tag"
expect 3 file-versions cat a.txt good
at 2030-01-01T00:00:00Z expect 3 file-versions gc --keep-last 1
cp tag "$tag"
# A record of another file, of a newer version, and what a sync service makes, are told and left.
folder=$(dirname "$newest")
cp "$newest" "$folder/$id3 2.json"
expect 0 file-versions gc -n
says "$id3 2.json is none of ours, and stays"
rm "$folder/$id3 2.json"
mv "$newest" "$folder/.$id3.json.icloud"
expect 3 file-versions gc
says 'only in the cloud'
expect 3 file-versions log a.txt
