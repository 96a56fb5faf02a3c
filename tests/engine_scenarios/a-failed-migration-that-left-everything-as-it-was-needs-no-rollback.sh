# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
# engines: postgres mariadb; of a transaction of SQLite that was taken back nothing is left, no used up number either
. "$WORDS"
make_ledger
add_counter entry
config '[env.dev]' "database = \"$URL\""
before=$(picture)
# All in one transaction that fails in the end: only numbers were used up, and they are nobody's rows.
make_migration vain <<'SQL'
BEGIN;
INSERT INTO entry (account, cents, note) SELECT 1, 1, 'x' FROM account;
DELETE FROM mark;
INSERT INTO account VALUES (1, 'again', 0);
SQL
expect "$FAILED_STATEMENT" client_env safe-migrate -e dev --report report.json -- ./vain
[ "$(picture)" != "$before" ] || wrong "no number was used up, so this shows nothing"
holds err 'exactly as it was'
is "$(told .state.state)" unchanged
is "$(kept_aside)" ""
is "$(rows_of entry) $(rows_of mark)" '1000 1'
# A rehearsal that does nothing at all is told as that, too.
make_migration nothing </dev/null
expect 0 client_env safe-migrate -e dev --rehearse -- ./nothing
holds err 'on the clone it changed nothing'
nothing_stands
nothing_beside
