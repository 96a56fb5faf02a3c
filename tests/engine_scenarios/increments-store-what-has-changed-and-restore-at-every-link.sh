# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
# engines: postgres; to a chain all texts are alike; a-week-of-full-backups… shows it on MariaDB, too
. "$WORDS"
make_ledger 40000

stored() { jq '.components[] | select(.role == "database") | .stored_bytes' "$1/manifest.json"; }
kind_of() { jq -r .type "$1/manifest.json"; }
base=0
for method in gzip zstd; do
    base=$((base + 100000))
    expect 0 backup-db "$URL" --compression $method
    full=$(newest)
    [ "$(kind_of "$full")" = full ] || wrong "the first one is $(kind_of "$full")"
    picture >"picture-$(basename "$full")"
    day=0
    for type in incremental incremental differential incremental; do
        day=$((day + 1))
        sql "UPDATE entry SET cents = cents + 1 WHERE id BETWEEN $((day * 1000)) AND $((day * 1000 + 200));
            DELETE FROM entry WHERE id = $((day * 5000)); INSERT INTO entry VALUES ($((base + day)), 1, 2, 'new')"
        expect 0 backup-db "$URL" --type $type --compression $method --verify restore
        now=$(newest)
        [ "$(kind_of "$now")" = $type ] || wrong "day $day is $(kind_of "$now"), not $type"
        [ "$(stored "$now")" -lt $(($(stored "$full") / 10)) ] || wrong "day $day stores $(stored "$now") bytes, the full $(stored "$full")"
        picture >"picture-$(basename "$now")"
    done
done
expect 0 backup-guard --verify restore
for id in $(cd "$(dirname "$now")" && ls); do
    expect 0 restore-db "$id" --to "$(url "${DB}_other")"
    picture "${DB}_other" >restored
    cmp restored "picture-$id" || wrong "$id is not what was there"
    drop_database "${DB}_other"
    folder=$(dirname "$now")/$id
    [ "$(kind_of "$folder")" = full ] || {
        # By the program in its folder, as its own instructions say.
        # shellcheck disable=SC2016 # RESTORE.txt has it as it stands
        grep -qF 'python3 recover.py --role database . "$OUT/database.sql" &&' "$folder/RESTORE.txt" || wrong "no instructions for $id"
        make_database "${DB}_other"
        (cd "$folder" && python3 recover.py --role database . -) >plain.sql || wrong "$id cannot be recovered"
        load "${DB}_other" plain.sql || wrong "what is recovered of $id cannot be loaded"
        picture "${DB}_other" >restored
        cmp restored "picture-$id" || wrong "what is recovered of $id is not what was there"
        drop_database "${DB}_other"
    }
done
nothing_staged
