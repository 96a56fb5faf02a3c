#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

# An application with a database, a media tree and a configuration file; each day something of each changes.
ledger app.db 5000
mkdir -p media/2026 media/empty
n=0
while [ $n -lt 150 ]; do
    n=$((n + 1))
    head -c $((n * 37 % 9000 + 1)) /dev/urandom >"media/2026/picture $n.jpg"
done
ln -s '2026/picture 1.jpg' media/cover
ln 'media/2026/picture 2.jpg' media/again
truncate -s 5M media/holes
printf 'end' >>media/holes
echo 'debug = false' >settings.toml
find . -exec touch -h -d 2026-01-01 {} +
config 'type = "auto"' 'full_every = "5d"' 'compression = "zstd"' '[env.prod]' 'database = "app.db"' 'files = ["media"]' \
    'config_files = ["settings.toml"]'
# What a day was: the database as text, and a copy of the tree.
remember() {
    mkdir "days/$1"
    content app.db >"days/$1/content"
    cp -a media settings.toml "days/$1/"
}
mkdir days
for day in 1 2 3 4 5 6 7; do
    expect 0 at "2026-02-0${day}T03:00:00Z" backup-full -e prod --json
    remember "$(value .id)"
    # The full is five days old on the sixth.
    case $day in 1 | 6) wanted=full ;; *) wanted=incremental ;; esac
    is "$(value .manifest.type)" "$wanted" "the type on day $day"
    [ "$wanted" = full ] || [ "$(value '[.manifest.components[].stored_bytes] | add')" -lt 120000 ] || wrong "day $day stores what it need not"
    sqlite3 app.db "UPDATE entry SET cents = $day WHERE id % 500 = $day; INSERT INTO entry (cents) VALUES ($day)"
    head -c 5000 /dev/urandom >"media/2026/new $day.jpg"
    echo "note $day" >>'media/2026/picture 10.jpg'
    rm "media/2026/picture 5$day.jpg"
    mv "media/2026/picture 6$day.jpg" "media/moved $day.jpg"
    chmod 600 "media/2026/picture 7$day.jpg"
    echo "day = $day" >>settings.toml
done
is "$(count prod)" 7 "backups"
expect 0 backup-guard -q -e prod --max-age 800000h --verify restore
# Names, modes, sizes, times, where links lead, how many names a file has.
listed() {
    (
        cd "$1"
        find media settings.toml ! -type d -printf '%p %y %m %s %T@ %l %n\n' | sort
        find media -type d -printf '%p %m %T@\n' | sort
    )
}
# alike FOLDER DAY: the two trees are the same.
alike() {
    diff -r --no-dereference "$1/media" "days/$2/media" || wrong "$2: other contents"
    cmp "$1/settings.toml" "days/$2/settings.toml" || wrong "$2: another settings.toml"
    listed "$1" >found.list
    listed "days/$2" >wanted.list
    diff wanted.list found.list || wrong "$2: other names, modes or times"
}
for id in $(backups prod); do
    folder=backups/prod/$id
    expect 0 restore-db "$id" -e prod --to "sqlite:back.db"
    is "$(content back.db)" "$(cat "days/$id/content")" "the database of $id"
    expect 0 restore-db "$id" -e prod --files-to back
    alike back "$id"
    # Without Holdfast: by the program in the folder, or where it is a full by the script it is a copy of.
    recover=$folder/recover.py
    [ -e "$recover" ] || recover=$SCENARIOS/../../scripts/recover
    python3 "$recover" "$folder" recovered.db 2>"$ERR" || wrong "the database of $id cannot be recovered"
    is "$(content recovered.db)" "$(cat "days/$id/content")" "the recovered database of $id"
    mkdir recovered
    for role in files config; do
        python3 "$recover" --role $role "$folder" - 2>"$ERR" | tar -xf - -C recovered || wrong "the $role of $id cannot be recovered"
    done
    alike recovered "$id"
    rm -rf back back.db recovered recovered.db
done
# One file out of a day, without the rest.
id=$(backups prod | sed -n 3p)
expect 0 restore-db "$id" -e prod --files-to one --only 'media/2026/picture 10.jpg'
cmp 'one/media/2026/picture 10.jpg' "days/$id/media/2026/picture 10.jpg" || wrong "another picture"
is "$(find one -type f | wc -l)" 1 "files that came back"
nothing_left
