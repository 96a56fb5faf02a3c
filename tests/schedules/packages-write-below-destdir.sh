# shellcheck shell=sh source=tests/schedules/story.sh
. "$REPO/tests/schedules/story.sh"

DESTDIR=$PWD/root
export DESTDIR
expect 0 cron --system --env prod
holds root/etc/cron.d/holdfast-prod ' * * * * root PATH='
holds root/etc/cron.d/holdfast-prod ' 6 * * * root out='
lacks root/etc/cron.d/holdfast-prod ' -e dev'
expect 0 systemd --system --env prod
[ -s root/etc/systemd/system/holdfast-backup@prod.timer ] || wrong "the timer is missing"
expect 0 launchd --system --env prod
[ -s root/Library/LaunchDaemons/holdfast.backup-db.prod.plist ] || wrong "the daemon is missing"
[ ! -s "$FAKES/calls" ] || wrong "a package's installation called a scheduler"
for kind in cron systemd launchd; do expect 0 "$kind" --system --env prod --remove; done
[ -z "$(find root -type f)" ] || wrong "left behind: $(find root -type f)"
