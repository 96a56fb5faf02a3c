# shellcheck shell=sh source=tests/engine_scenarios/words/mariadb.sh
# engines: mariadb; PostgreSQL's dump locks what it reads against changes
# shellcheck disable=SC2016 # the program knows the number
. "$WORDS"
make_ledger 3000
config "$FAKES_LINE" '[env.dev]' "database = \"$URL\""
# changing_dump STATEMENT: a dump program during which, as long as `numbers` has lines, the statement is run, with its first line as
# the number in it. The table that is changed comes last, behind a long one.
changing_dump() {
    fake "$DUMP_PROGRAM" <<END
number=\$(head -n 1 "\$HERE/numbers" 2>/dev/null)
sed -i 1d "\$HERE/numbers"
{ real "\$@"; echo \$? >"\$HERE/status"; } | {
    head -c 20000
    # What is read just now cannot be changed before it is read; it is changed then.
    [ -z "\$number" ] || '$SERVER_PROGRAMS/mariadb' --no-defaults --socket='$SERVER_SOCKET' --user=root --database='$DB' --execute="$1" >/dev/null &
    sleep 0.7
    cat
    wait
}
exit "\$(cat "\$HERE/status")"
END
}
for statement in 'ALTER TABLE mark ADD COLUMN more_$number integer' 'TRUNCATE mark' 'CREATE TABLE late_$number (id integer)' 'ALTER TABLE entry ADD COLUMN more_$number integer' \
    'CREATE OR REPLACE VIEW totals AS SELECT $number AS n'; do
    # Once, and it is dumped anew.
    changing_dump "$statement"
    echo 1 >numbers
    sql "INSERT INTO mark (word) VALUES ('again')"
    expect 0 backup-db
    expect 0 backup-guard latest --verify exact
    is "$(jq .fingerprint.tables.mark.rows "$(newest)/manifest.json")" "$(rows_of mark)" "$statement"
    # Again and again, and it is an error that says so.
    printf '%s\n' 21 22 23 24 >numbers
    sql "INSERT INTO mark (word) VALUES ('again')"
    number=$(backups)
    expect 1 backup-db
    holds err 'no consistent dump in 3 attempts'
    holds err hint
    is "$(backups)" "$number" "$statement"
    is "$(cat numbers)" 24 "attempts"
    nothing_staged
    : >numbers
    sql 'DROP TABLE IF EXISTS late_1, late_21, late_22, late_23; DROP VIEW IF EXISTS totals'
    for table in mark entry; do
        columns=$(sql_server "SELECT group_concat('DROP COLUMN ', column_name) FROM information_schema.columns WHERE table_schema = '$DB' AND table_name = '$table' AND column_name LIKE 'more%'")
        case $columns in DROP*) sql "ALTER TABLE $table $columns" ;; esac
    done
done
