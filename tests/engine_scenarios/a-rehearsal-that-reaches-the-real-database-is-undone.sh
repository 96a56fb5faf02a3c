# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
. "$WORDS"
make_ledger
config '[env.dev]' "database = \"$URL\""
before=$(picture)
make_migration hard_coded real <<'SQL'
ALTER TABLE account ADD COLUMN rating integer;
SQL
expect 123 client_env safe-migrate -e dev --rehearse --report report.json -- ./hard_coded
is "$(told '.outcome + " " + .state.state')" 'reached_real rolled_back'
holds err 'the rehearsal changed'
[ "$(picture)" = "$before" ] || wrong "what a rehearsal did to the real database was not undone"
[ -n "$(kept_aside)" ] || wrong "nothing was kept aside"
nothing_stands
nothing_beside
nothing_staged
