# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
# engines: postgres mariadb; SQLite needs no server for its clones
. "$WORDS"
make_ledger
config '[env.dev]' "database = \"$URL\""
before=$(picture)
make_program tests 'sql_by_variables "DELETE FROM entry WHERE id > 10"'
# open_and_remove: the two commands that were printed.
open_and_remove() {
    told .kept.open >open
    told .kept.drop >remove
    echo 'SELECT count(*) FROM entry;' | sh open >rows
    is "$(tr -dc 0-9 <rows | cut -c 1-2)" 10
    # What the next run sweeps is not this.
    expect 0 safe-db-test -e dev -- ./tests
    echo 'SELECT count(*) FROM entry;' | sh open >/dev/null
    sh remove
    if echo 'SELECT 1;' | sh open >/dev/null 2>&1; then wrong "it is still there"; fi
}
expect 0 safe-db-test -v -e dev --keep --report report.json -- ./tests
holds err "$(told .kept.open)"
open_and_remove
nothing_staged

# On a server of the user's own.
config "scratch_server = \"$(server_url)\"" '[env.dev]' "database = \"$URL\""
expect 0 safe-db-test -v -e dev --keep --report report.json -- ./tests
is "$(scratches | wc -l)" 1
open_and_remove
is "$(scratches)" ""
[ "$(picture)" = "$before" ] || wrong "the real database has changed"
nothing_beside
nothing_staged
