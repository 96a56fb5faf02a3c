#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

ledger app.db 5
expect 0 at 2020-11-01T12:00:00Z backup-db app.db
mkdir media
echo 1 >media/a
expect 0 at 2020-11-02T12:00:00Z backup-full media
one=$(made)
echo 2 >media/a
expect 0 at 2020-11-03T12:00:00Z backup-full media
two=$(made)
expect 0 backup-catalog show latest
prints "$two"
expect 0 backup-catalog pin latest
prints "$two"
expect 0 backup-catalog tag latest golden
prints "$two"
expect 0 backup-catalog export latest -o latest.tar.gz
prints "$two"
expect 0 backup-catalog diff "$one" latest
prints 'media/a'
