# The words of SQLite, for a file in this project's folder.
# shellcheck shell=sh disable=SC2034,SC2153 # a tool's script uses what stands here
# shellcheck source=tests/server_scenarios/story.sh
. "$STORY"
# shellcheck source=scripts/migration-tools/words.sh
. "$ROOT/scripts/migration-tools/words.sh"
SOURCE=ledger.db
DATABASE_URL="sqlite:///$PWD/ledger.db"
export DATABASE_URL
ask() { sqlite3 ledger.db "$1"; }
picture() { sqlite3 ledger.db .dump; }
SERIES='(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT i FROM n) AS n'
real_place() { echo "$PWD/ledger.db"; }
DBMATE_URL="sqlite:$PWD/ledger.db"
DBMATE_FAILS=2
