# shellcheck shell=sh source=tests/schedules/story.sh
. "$REPO/tests/schedules/story.sh"

expect 0 cron
[ "$(head -n 1 "$FAKES/crontab")" = '# BEGIN holdfast dev' ] || wrong "the block does not come first"
expect 0 cron --remove
[ ! -e "$FAKES/crontab" ] || wrong "an empty crontab stayed behind"
