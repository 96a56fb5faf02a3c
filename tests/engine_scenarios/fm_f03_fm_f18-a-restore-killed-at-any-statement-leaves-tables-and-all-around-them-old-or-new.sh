# shellcheck shell=sh source=tests/engine_scenarios/words/mariadb.sh
# engines: mariadb; PostgreSQL renames a database with all that is in it
. "$WORDS"
make_ledger 50
add_oddities
config "$FAKES_LINE" '[env.dev]' "database = \"$URL\""
expect 0 backup-db
new=$(picture)
# Another database stands there now, also around its tables.
sql "DROP VIEW rich; CREATE VIEW poor AS SELECT * FROM totals WHERE cents < 10; DROP TRIGGER stamp; DROP FUNCTION twice; DROP PROCEDURE tidy; DROP EVENT nightly;
    DROP SEQUENCE counter; CREATE SEQUENCE other START WITH 7; CREATE TABLE late (id integer PRIMARY KEY); CREATE FUNCTION thrice(n integer) RETURNS integer RETURN 3 * n;
    CREATE TRIGGER other_stamp BEFORE INSERT ON mark FOR EACH ROW SET new.word = lower(new.word);
    CREATE EVENT hourly ON SCHEDULE EVERY 1 HOUR STARTS '2020-01-01' DO DELETE FROM mark WHERE word = 'never'; UPDATE mark SET word = 'live'"
old=$(picture)

# The client kills whoever started it when it is told the statement of number kill_at, counted from what writes down that a swap
# begins. Of the load before that, no statement counts.
fake "$CLIENT" <<'END'
case " $* " in *" --execute="*) real "$@"; exit ;; esac
while IFS= read -r line; do
    case $line in *"REPLACE INTO "*"'incoming'"*) : >"$HERE/counting" ;; esac
    case $line in
        *CREATE* | *DROP* | *ALTER* | *RENAME* | *REPLACE* | *RELEASE_LOCK*)
            if [ -e "$HERE/counting" ]; then
                count=$(($(cat "$HERE/count") + 1))
                echo "$count" >"$HERE/count"
                if [ "$count" = "$(cat "$HERE/kill_at")" ]; then
                    kill -KILL "$(cat "$HERE/run")"
                    exit 1
                fi
            fi
            ;;
    esac
    printf '%s\n' "$line"
done | real "$@"
END
# killed_at NUMBER COMMAND…: its status.
killed_at() {
    echo 0 >count
    echo "$1" >kill_at
    shift
    rm -f counting
    sh -c 'echo $$ >run; exec "$@"' sh "$@" >out 2>err </dev/null || return
}
# HOLDFAST_SOAK=1 takes every statement, otherwise the first, which always leaves the old, and every ninth from a random one.
step=9
[ -z "${HOLDFAST_SOAK:-}" ] || step=1
random_below "$step"
for what in 'latest --no-safety-backup' --undo; do
    number=1 stride=$((RANDOM_NUMBER + 1)) olds=0 news=0
    while :; do
        status=0
        # shellcheck disable=SC2086 # a list of words
        killed_at "$number" restore-db $what || status=$?
        [ "$status" != 0 ] || break
        is "$status" 137 "$what, statement $number"
        echo 0 >kill_at
        if [ "$what" = --undo ]; then was=$new comes=$old; else was=$old comes=$new; fi
        # The next run ends what the killed one had begun, before it does anything itself; this one may do nothing.
        config "$FAKES_LINE" '[env.dev]' "database = \"$URL\"" 'protected = true'
        expect 4 restore-db latest --no-safety-backup
        config "$FAKES_LINE" '[env.dev]' "database = \"$URL\""
        case $(picture) in
            "$was") olds=$((olds + 1)) ;;
            "$comes")
                news=$((news + 1))
                expect 0 restore-db --undo
                [ "$(picture)" = "$was" ] || wrong "$what, statement $number: what was there did not come back"
                ;;
            *)
                picture >found
                echo "$was" | diff - found >&2 || :
                wrong "$what, statement $number: neither old nor new"
                ;;
        esac
        nothing_beside
        number=$((number + stride)) stride=$step
    done
    echo "note: $what: $(cat count) statements, $olds times old, $news times new" >&2
    { [ "$olds" -gt 0 ] && [ "$news" -gt 0 ]; } || wrong "the kills were not on both sides of the tables' move"
    if [ "$what" = --undo ]; then [ "$(picture)" = "$old" ] || wrong "it is not what was there"; else [ "$(picture)" = "$new" ] || wrong "it is not what was backed up"; fi
done
until_true 3 none_runs
