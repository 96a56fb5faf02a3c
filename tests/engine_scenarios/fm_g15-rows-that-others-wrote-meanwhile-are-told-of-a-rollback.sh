# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
. "$WORDS"
make_ledger
config '[env.dev]' "database = \"$URL\""
make_program failing "sql \"INSERT INTO mark VALUES ('of another')\"; sql 'DELETE FROM entry WHERE id > 10'; exit 4"
expect 4 client_env safe-migrate -e dev --report report.json -- ./failing
told .backup_at >since
grep -qE '^20[0-9-]+T[0-9:]+Z$' since || wrong "the report does not say of when the state is: $(cat since)"
holds err "$(cat since)"
is "$(rows_of mark)" 1
# They are not gone: the state that was rolled back has them.
is "$(failed_rows "$(kept_aside)" mark)" 2
