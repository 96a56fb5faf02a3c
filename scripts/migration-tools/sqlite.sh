# The words of SQLite, for a file in this project's folder.
# shellcheck shell=sh disable=SC2034,SC2153 # a tool's script uses what stands here
DB=ledger
# shellcheck source=tests/engine_scenarios/words/sqlite.sh
. "$ROOT/tests/engine_scenarios/words/sqlite.sh"
# shellcheck source=scripts/migration-tools/words.sh
. "$ROOT/scripts/migration-tools/words.sh"
SOURCE=ledger.db
DATABASE_URL="sqlite:///$PWD/ledger.db"
export DATABASE_URL
ask() { sql "$1"; }
SERIES='(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT i FROM n) AS n'
real_place() { echo "$PWD/ledger.db"; }
DBMATE_URL="sqlite:$PWD/ledger.db"
DBMATE_FAILS=2
