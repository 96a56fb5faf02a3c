# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
# engines: postgres; tables inherit from tables
. "$WORDS"
# A column that the parent got after its child was made comes last in the child, and first in a restored copy of it: the
# same rows, in other bytes.
make_database "$DB"
sql "CREATE TABLE parent (a int); CREATE TABLE child (c text) INHERITS (parent); ALTER TABLE parent ADD COLUMN b int;
     INSERT INTO child (a, b, c) VALUES (1, 2, 'three')"
config '[env.dev]' "database = \"$URL\""

expect 0 safe-db-test -e dev -- true
expect 122 safe-db-test -e dev -- "$SERVER_PROGRAMS/psql" -d "$URL" -c "UPDATE child SET c = 'four'"
holds err public.child
expect 122 safe-db-test -e dev --on-leak restore -- "$SERVER_PROGRAMS/psql" -d "$URL" -c "UPDATE child SET c = 'five'"
holds err public.child
lacks err "others are writing"
is "$(sql 'SELECT a, b, c FROM child')" "1|2|four"
nothing_beside
nothing_staged
