#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

config 'min_verified = 1' '[env.dev]' 'files = ["media", "more"]' '[env.dev.retention]' 'keep_last = 1'
mkdir media more
echo 1 >media/a
echo 2 >more/b
expect 0 at 2020-11-01T12:00:00Z backup-full --no-prune
whole=$(made)
mv more elsewhere
for day in 02 03; do
    expect 7 at "2020-11-${day}T12:00:00Z" backup-full --no-prune
    lacking=$(made)
done
expect 0 backup-catalog list
is "$(grep -c incomplete "$OUT")" 2 'incomplete ones in the list'
prints 'lacks more ('
expect 0 restore-db --list
is "$(grep -c incomplete "$OUT")" 2 'incomplete ones in the other list'
expect 0 backup-catalog list --bad --json
is "$(value '[.backups[].verdict] | join(" ")')" 'incomplete incomplete' 'those that cannot be relied upon'
expect 0 backup-catalog show "$lacking"
prints 'verified     incomplete'
grep -q '^incomplete  *more (' "$OUT" || wrong 'show does not name the path'
expect 0 backup-catalog stats
prints '1 verified, 2 incomplete, 0 damaged'
run backup-guard --max-age 800000h
prints 'the newest complete backup is'
prints '2 newer ones lack files (more'
expect 0 backup-guard --max-age 800000h --format prometheus
prints 'holdfast_verified_backups{environment="dev"} 1'
prints 'holdfast_incomplete_backups{environment="dev"} 2'
expect 0 backup-catalog prune -n
prints "keep $whole"
prints "keep $lacking  incomplete"
# Without any whole one, what there is lacks something.
approved backup-catalog delete "$whole"
expect 3 backup-guard --max-age 800000h
prints 'there is no complete backup; 2 lack files (more'
