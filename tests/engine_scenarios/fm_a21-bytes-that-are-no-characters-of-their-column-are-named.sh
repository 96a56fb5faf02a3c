# shellcheck shell=sh source=tests/engine_scenarios/words/mariadb.sh
# engines: mariadb; a server of PostgreSQL takes no such bytes, and its dump is in the database's own encoding
. "$WORDS"
make_ledger 10
sql "CREATE TABLE letter (id integer PRIMARY KEY, a varbinary(9), c varbinary(9), l varbinary(9), g varbinary(9), plain varbinary(9));
    INSERT INTO letter VALUES (1, x'E9', x'81', x'81', x'E9', x'61'); SET sql_mode = '';
    ALTER TABLE letter MODIFY a varchar(9) CHARACTER SET ascii, MODIFY c varchar(9) CHARACTER SET cp1250, MODIFY l varchar(9) CHARACTER SET latin1,
        MODIFY g varchar(9) CHARACTER SET cp1250, MODIFY plain varchar(9) CHARACTER SET ascii"
config '[env.dev]' "database = \"$URL\""
expect 0 backup-db
holds err 'no characters of their character set, which come back as others: letter.a, letter.c ('
is "$(jq -r '.database.not_included[]' "$(newest)/manifest.json" | sed -n 's/^bytes without a character in column //p' | tr '\n' ' ')" 'letter.a letter.c '
# All the others come back, byte for byte.
before=$(sql 'SELECT hex(l), hex(g), hex(plain) FROM letter')
sql 'DELETE FROM letter'
expect 0 restore-db latest --no-safety-backup
is "$(sql 'SELECT hex(l), hex(g), hex(plain) FROM letter')" "$before"
sql "UPDATE letter SET a = 'e', c = 'e'"
expect 0 backup-db
if grep -q 'no characters' err; then wrong "a warning of nothing"; fi
