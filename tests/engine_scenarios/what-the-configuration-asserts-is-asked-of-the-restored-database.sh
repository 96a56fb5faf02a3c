# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
. "$WORDS"
make_ledger
with_assert() { config '[env.dev]' "database = \"$URL\"" "assert = [$1]"; }
with_assert "\"SELECT count(*) FROM account\", { query = \"SELECT sum(cents) FROM account\", expect = \"100000\" }"
expect 0 backup-db --verify restore
expect 0 backup-guard --verify restore
set_mark live
expect 0 restore-db latest
expect 0 restore-db --undo

with_assert "{ query = \"SELECT sum(cents) FROM account\", expect = \"100001\" }"
expect 3 backup-guard --verify restore
expect 3 restore-db latest
holds err 100001
is "$(mark)" live
nothing_beside
before=$(backups)
expect 1 backup-db --verify restore
is "$(backups)" "$before"
with_assert "\"SELECT count(*) FROM no_such_table\""
expect 3 restore-db latest
holds err no_such_table
with_assert "\"SELECT 1 WHERE false\""
expect 3 backup-guard latest --verify restore
is "$(mark)" live
nothing_staged
