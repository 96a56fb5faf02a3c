# shellcheck shell=sh source=tests/engine_scenarios/words/mariadb.sh
# engines: mariadb; a database of PostgreSQL is backed up and restored by its owner
. "$WORDS"
make_ledger
add_oddities
before=$(picture)
make_plain_user "keeper_$DB"
config '[env.dev]' "database = \"$(url "$DB" "keeper_$DB")\""
# granted COMMAND…: runs the very statement of the hint, as an administrator, until the command does well; how often, in $grants.
granted() {
    grants=0
    until "$@" >out 2>err </dev/null; do
        grant=$(sed -n 's/.*\(GRANT .* TO [^ ;]*\).*/\1/p' err | head -n 1)
        [ -n "$grant" ] || wrong "no GRANT is named"
        sql_server "$grant"
        grants=$((grants + 1))
        [ "$grants" -lt 6 ] || wrong "it needs no end of grants"
    done
}
sql_server "GRANT USAGE ON *.* TO 'keeper_$DB'@'localhost'; GRANT INSERT ON \`$DB\`.mark TO 'keeper_$DB'@'localhost'"
granted backup-db -e dev
[ "$grants" -gt 0 ] || wrong "nothing was lacking"
# Who may back up may not restore, and is told before anything is there.
set_mark live
live=$(picture)
status=0
restore-db -e dev latest --no-safety-backup >out 2>err </dev/null || status=$?
is "$status" 1
[ "$(picture)" = "$live" ] || wrong "a refused restore has changed something"
nothing_beside
granted restore-db -e dev latest --no-safety-backup
[ "$grants" -gt 0 ] || wrong "nothing was lacking"
[ "$(picture)" = "$before" ] || wrong "it is not what was backed up"
granted restore-db -e dev --undo
[ "$(picture)" = "$live" ] || wrong "the undo did not bring the old one back"
granted safe-migrate -e dev -- true
nothing_beside
nothing_staged
