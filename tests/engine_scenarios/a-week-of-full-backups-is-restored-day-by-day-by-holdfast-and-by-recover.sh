# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
. "$WORDS"
# An application with a database, a media tree and a configuration file; each day something of each changes.
make_ledger 20000
mkdir -p media/empty days
n=0
while [ $n -lt 80 ]; do
    n=$((n + 1))
    head -c $((n * 311 % 30000 + 1)) /dev/urandom >"media/picture $n.jpg"
done
ln -s 'picture 1.jpg' media/cover
ln 'media/picture 2.jpg' media/again
truncate -s 5M media/holes
printf 'end' >>media/holes
echo 'debug = false' >settings.toml
find media settings.toml -exec touch -h -d 2026-01-01 {} +
config 'compression = "zstd"' 'full_every = "7d"' '[env.prod]' "database = \"$URL\"" 'files = ["media"]' \
    'config_files = ["settings.toml"]'
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
    diff -r --no-dereference "$1/media" "days/$2.files/media" || wrong "$1 of $2: other contents"
    cmp "$1/settings.toml" "days/$2.files/settings.toml" || wrong "$1 of $2: another settings.toml"
    listed "days/$2.files" >wanted.list
    listed "$1" >found.list
    diff wanted.list found.list || wrong "$1 of $2: other names, modes or times"
}

day=0
for type in full incremental incremental differential auto full incremental; do
    day=$((day + 1))
    expect 0 backup-full -e prod --type $type
    now=$(newest prod)
    case $type in auto) made=incremental ;; *) made=$type ;; esac
    is "$(jq -r .type "$now/manifest.json")" $made "the type on day $day"
    stored=$(jq '[.components[] | select(.role != "globals").stored_bytes] | add' "$now/manifest.json")
    [ $made = full ] && full=$stored || [ "$stored" -lt $((full / 5)) ] || wrong "day $day stores $stored bytes, the full $full"
    picture >"days/$(basename "$now")"
    mkdir "days/$(basename "$now").files"
    cp -a media settings.toml "days/$(basename "$now").files/"
    sql "UPDATE entry SET cents = cents + 1 WHERE id BETWEEN $((day * 100)) AND $((day * 100 + 50)); DELETE FROM entry WHERE id = $((day * 1000));
        INSERT INTO entry VALUES ($((100000 + day)), 1, 2, 'day $day')"
    head -c 5000 /dev/urandom >"media/new $day.jpg"
    echo "note $day" >>'media/picture 10.jpg'
    rm "media/picture 2$day.jpg"
    mv "media/picture 3$day.jpg" "media/moved $day.jpg"
    chmod 600 "media/picture 4$day.jpg"
    echo "day = $day" >>settings.toml
done
is "$(backups prod)" 7 "backups"
expect 0 backup-guard -q -e prod --verify restore
for id in $(cd "$STORE/prod" && ls); do
    folder=$STORE/prod/$id
    expect 0 restore-db "$id" -e prod --to "$(url "${DB}_other")"
    expect 0 restore-db "$id" -e prod --files-to back
    picture "${DB}_other" >restored
    cmp restored "days/$id" || wrong "the database of $id is not what was there"
    drop_database "${DB}_other"
    # By the program in the folder, or where it is a full by the script it is a copy of.
    recover=$folder/recover.py
    [ -e "$recover" ] || recover=$(dirname "$STORY")/../../scripts/recover
    make_database "${DB}_other"
    python3 "$recover" --role database "$folder" - >plain.sql || wrong "the database of $id cannot be recovered"
    load "${DB}_other" plain.sql || wrong "what is recovered of $id cannot be loaded"
    picture "${DB}_other" >restored
    cmp restored "days/$id" || wrong "what is recovered of $id is not what was there"
    drop_database "${DB}_other"
    mkdir recovered
    for role in files config; do
        python3 "$recover" --role $role "$folder" - | tar -xf - -C recovered || wrong "the $role of $id cannot be recovered"
    done
    alike back "$id"
    alike recovered "$id"
    rm -rf back recovered
done
# One file out of a day, without the rest.
expect 0 restore-db "$id" -e prod --files-to one --only 'media/picture 10.jpg'
cmp 'one/media/picture 10.jpg' "days/$id.files/media/picture 10.jpg" || wrong "another picture"
is "$(find one -type f | wc -l | tr -d ' ')" 1 "files that came back"
nothing_staged
