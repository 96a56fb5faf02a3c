# shellcheck shell=sh source=tests/schedules/story.sh
. "$REPO/tests/schedules/story.sh"

# Another's lines, with all that could go wrong in copying them.
# shellcheck disable=SC2016
printf '%s\n' 'MAILTO=ops@example.org' '' '# BEGIN holdfast devel' '5 4 * * *  echo "a  b" \% & \\n $HOME `date` >/dev/null' \
    '# END holdfast devel' '@daily	/usr/bin/true' >"$FAKES/crontab"
cp "$FAKES/crontab" before

expect 0 cron --env dev --dry-run
same "$FAKES/crontab" before
holds out '-e dev'

expect 0 cron --env dev
head -n 6 "$FAKES/crontab" >kept
same kept before
holds "$FAKES/crontab" '# BEGIN holdfast dev'
holds "$FAKES/crontab" "$BINARIES/backup-db -q -e dev"
cp "$FAKES/crontab" installed

: >"$FAKES/calls"
expect 0 cron --env dev
same "$FAKES/crontab" installed
holds out 'nothing to change'
[ ! -s "$FAKES/calls" ] || wrong "the second run wrote the crontab again"

# A second environment beside it; a line added by hand after the block; then a changed block, in its place.
expect 0 cron --env=prod
echo '1 1 * * * mine' >>"$FAKES/crontab"
: >"my config.toml"
expect 0 cron --env dev --config "my config.toml"
holds "$FAKES/crontab" "HOLDFAST_CONFIG='$PWD/my config.toml' PATH="
[ "$(tail -n 1 "$FAKES/crontab")" = '1 1 * * * mine' ] || wrong "a line changed its place"
[ "$(grep -c '^# BEGIN holdfast dev$' "$FAKES/crontab")" = 1 ] || wrong "the block is there twice"

expect 0 cron --env prod --remove
expect 0 cron --env dev --remove
echo '1 1 * * * mine' >>before
same "$FAKES/crontab" before
expect 0 cron --env dev --remove
holds out 'nothing to change'
