# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
. "$WORDS"
expect 1 backup-db "$(url "nowhere_$DB")"
holds err "nowhere_$DB"
make_database "$DB"
expect 1 backup-db "$URL"
holds err 'has no table'
holds err hint
is "$(backups)" 0
nothing_staged
expect 0 backup-db "$URL" --allow-empty
is "$(backups)" 1
