# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
. "$WORDS"
make_ledger
config '[env.dev]' "database = \"$URL\"" "restart = [\"$PWD/restart\", \"one word\"]"
cat >restart <<END
#!/bin/sh
. "$WORDS"
echo "\$# \$1 \$(mark)" >$PWD/restarted
[ ! -e $PWD/fail ] || { echo 'the unit is masked' >&2; exit 9; }
END
chmod 755 restart
expect 0 backup-db
set_mark live
expect 0 restore-db -n latest
[ ! -e restarted ] || wrong "a dry run has restarted something"
expect 0 restore-db latest
is "$(cat restarted)" '1 one word first'
: >fail
set_mark live
expect 7 restore-db latest
holds err 'the unit is masked'
is "$(mark)" first
expect 0 restore-db --undo
is "$(mark)" live
