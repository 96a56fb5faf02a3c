# shellcheck shell=sh source=tests/engine_scenarios/words/mariadb.sh
# engines: mariadb; PostgreSQL's dumps name no database
. "$WORDS"
make_ledger
# The server writes such a trigger down as it is said here.
sql_server "CREATE TRIGGER \`$DB\`.stamp BEFORE INSERT ON \`$DB\`.mark FOR EACH ROW SET NEW.word = upper(NEW.word)"
sql_server "CREATE PROCEDURE \`$DB\`.tidy() DELETE FROM mark WHERE word = 'x'"
before=$(picture)
expect 0 backup-db "$URL" --verify restore
sql 'DROP TRIGGER stamp; DROP PROCEDURE tidy'
triggers_of() { sql_server "SELECT count(*) FROM information_schema.triggers WHERE trigger_schema = '$1'"; }
# Elsewhere: the real database gets nothing of it.
expect 0 restore-db latest --to "$(url "${DB}_other")"
is "$(triggers_of "${DB}_other")" 1 'triggers of the other database'
is "$(triggers_of "$DB")" 0 'triggers of the real one'
sql_in "${DB}_other" "INSERT INTO mark VALUES ('shout')"
is "$(sql_in "${DB}_other" "SELECT count(*) FROM mark WHERE BINARY word = 'SHOUT'")" 1 'rows that the trigger has seen'
# And in its own place.
expect 0 restore-db latest
is "$(triggers_of "$DB")" 1 'triggers of the real database after its restore'
sql 'CALL tidy()'
wanted=$(printf '%s\n' "$before" | sed "s/TRIGGER \`$DB\`\\.stamp/TRIGGER stamp/; s/ON \`$DB\`\\.mark/ON mark/")
[ "$(picture)" = "$wanted" ] || {
    printf '%s\n' "$wanted" >out
    picture | diff out - >err || :
    wrong 'it is not what was backed up'
}
drop_database "${DB}_other"
