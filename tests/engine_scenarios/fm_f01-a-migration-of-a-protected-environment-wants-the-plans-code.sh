# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
. "$WORDS"
make_ledger
make_ledger 10 "${DB}_prod"
config '[env.prod]' "database = \"$(url "${DB}_prod")\"" 'protected = true' '[env.dev]' "database = \"$URL\""
make_program migration 'touch was_run'
expect 125 safe-migrate -e prod -- ./migration
holds err --confirm
expect 125 safe-migrate -e prod --confirm prod -- ./migration
expect 125 safe-migrate -e prod --confirm prod:0000-0000 -- ./migration
[ ! -e was_run ] || wrong "it was run without approval"
expect 0 safe-migrate -e prod -n -- ./migration
code=$(sed -n 's/.*--confirm \([^ ]*\).*/\1/p' out err | head -n 1)
# It is good for this command only, and once.
expect 125 safe-migrate -e prod --confirm "$code" -- ./migration --other
[ ! -e was_run ] || wrong "the code of another plan was taken"
expect 0 safe-migrate -e prod --confirm "$code" -- ./migration
[ -e was_run ] || wrong "it was not run"
expect 125 safe-migrate -e prod --confirm "$code" -- ./migration

# The database says itself whose it is.
expect 0 backup-guard mark-env dev
picture >marked
config '[env.prod]' "database = \"$URL\"" '[env.dev]' "database = \"$URL\""
rm was_run
expect 125 safe-migrate -e prod -- ./migration
holds err 'prod was meant'
holds err 'it is dev'
expect 125 safe-db-test -e prod -- ./migration
[ ! -e was_run ] || wrong "it was run on the wrong database"
expect 0 safe-migrate -e dev -- ./migration
# A clone says that it is one, and the original is left as it was.
make_program asking 'sql_by_variables "SELECT role FROM holdfast_marker"'
expect 0 client_env safe-db-test -e dev -- ./asking
is "$(cat out)" clone
[ "$(picture)" = "$(cat marked)" ] || wrong "the marker has changed"
