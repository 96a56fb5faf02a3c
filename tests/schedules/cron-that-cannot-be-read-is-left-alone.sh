# shellcheck shell=sh source=tests/schedules/story.sh
. "$REPO/tests/schedules/story.sh"

echo '1 1 * * * mine' >"$FAKES/crontab"
cp "$FAKES/crontab" before
CRONTAB_FAILS='you (ledger) are not allowed to use this program'
export CRONTAB_FAILS
for option in --user --remove; do
    expect 1 cron "$option"
    holds err 'not allowed to use this program'
    holds err 'hint: '
done
same "$FAKES/crontab" before
[ ! -s "$FAKES/calls" ] || wrong "a crontab that could not be read was written"

# A block whose end was lost must not swallow the lines after it.
unset CRONTAB_FAILS
printf '%s\n' '# BEGIN holdfast dev' '2 2 * * * mine too' >>"$FAKES/crontab"
cp "$FAKES/crontab" before
for option in --user --remove; do
    expect 1 cron "$option"
    holds err 'do not match'
done
same "$FAKES/crontab" before
