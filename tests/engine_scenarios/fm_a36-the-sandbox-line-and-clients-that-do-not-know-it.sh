# shellcheck shell=sh source=tests/engine_scenarios/words/mariadb.sh
# engines: mariadb; only its dumps begin with that line
. "$WORDS"
make_ledger
add_oddities
before=$(picture)
sandbox='/*M!999999\- enable the sandbox mode */ '
expect 0 backup-db "$URL" --compression none
dump=$(newest)/database.sql
is "$(head -n 1 "$dump")" "$sandbox"
# A client that does not know the line takes it for a command of its own that it does not have, as those of before May 2024 do.
sed 1d "$dump" >without.sql
{ echo "$sandbox"; sed 1d "$dump"; } >with.sql
mkdir old
cat >old/mariadb <<END
#!/bin/sh
case " \$* " in
    *" --version "*) echo 'mariadb  Ver 15.1 Distrib 10.11.6-MariaDB, for debian-linux-gnu (x86_64)'; exit ;;
    *" --unbuffered "* | *" --execute="*) exec '$SERVER_PROGRAMS/mariadb' "\$@" ;;
esac
IFS= read -r first
case \$first in *sandbox*) echo "ERROR at line 1: Unknown command '\\\\-'." >&2; exit 1 ;; esac
{ printf '%s\n' "\$first"; cat; } | '$SERVER_PROGRAMS/mariadb' "\$@"
END
chmod 755 old/mariadb
config "mariadb_bin = \"$PWD/old\"" '[env.dev]' "database = \"$URL\""
for file in with.sql without.sql; do
    set_mark live
    expect 0 restore-db --no-safety-backup --to "$URL" -f "$file"
    [ "$(picture)" = "$before" ] || wrong "$file: it is not what was dumped"
    expect 0 restore-db --undo --to "$URL"
    approved restore-db --discard --to "$URL"
done
set_mark live
expect 0 restore-db latest
[ "$(picture)" = "$before" ] || wrong "it is not what was backed up"
# In the sandbox a dump has no shell: what somebody wrote into one is an error, and nothing is run.
printf '%s\n\\! touch %s\n' "$(cat with.sql)" "$PWD/was_run" >hostile.sql
set_mark live
status=0
restore-db --no-safety-backup --to "$URL" -f hostile.sql >out 2>err </dev/null || status=$?
[ "$status" != 0 ] || wrong "it was taken"
[ ! -e was_run ] || wrong "a dump has run a command"
is "$(mark)" live
nothing_beside
