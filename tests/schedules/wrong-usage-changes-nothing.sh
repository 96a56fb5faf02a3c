# shellcheck shell=sh source=tests/schedules/story.sh
. "$REPO/tests/schedules/story.sh"

snapshot >before
for arguments in '' 'cron systemd' 'at' 'cron --env a/b' 'cron --env -x' 'cron --environment dev' 'cron --env'; do
    # shellcheck disable=SC2086
    expect 2 $arguments
    holds err 'install-schedule: '
    holds err 'hint: '
done
expect 1 cron --config no-such.toml
holds err 'no-such.toml'

# The last --bin-dir wins, and `expect` gives one: a folder without the binaries is tried by hand.
got=0
"$REPO/scripts/install-schedule" cron --bin-dir "$PWD" 2>err || got=$?
[ "$got" = 1 ] || wrong "a folder without the binaries: status $got"
holds err "$PWD/backup-db is not there"
holds err 'make install'
snapshot >after
same before after
