# shellcheck shell=sh source=tests/schedules/story.sh
. "$REPO/tests/schedules/story.sh"

units=$HOME/.config/systemd/user
mkdir -p "$units"
echo 'another unit' >"$units/other.service"
snapshot >before

expect 0 systemd --env dev -n
snapshot >dry
same before dry
[ ! -s "$FAKES/calls" ] || wrong "a dry run called systemctl"

expect 0 systemd --env dev
holds "$units/holdfast-backup@dev.service" "ExecStart=$BINARIES/backup-db -q -e %i"
holds "$units/holdfast-backup@dev.timer" 'Persistent=true'
holds "$FAKES/calls" 'daemon-reload'
[ -e "$FAKES/enabled/holdfast-backup@dev.timer" ] || wrong "the backup's timer is not enabled"
[ -e "$FAKES/enabled/holdfast-guard@dev.timer" ] || wrong "the check's timer is not enabled"
snapshot >installed

: >"$FAKES/calls"
expect 0 systemd --env dev
snapshot >again
same installed again
holds out 'nothing to change'
[ ! -s "$FAKES/calls" ] || wrong "the second run changed something"

# Somebody disabled a timer: the next run enables it again, and writes no file.
rm "$FAKES/enabled/holdfast-guard@dev.timer"
expect 0 systemd --env dev
snapshot >again
same installed again

: >"100% mine.toml"
expect 0 systemd --env prod --config "100% mine.toml"
holds "$units/holdfast-backup@prod.service" "Environment=\"HOLDFAST_CONFIG=$PWD/100%% mine.toml\""
expect 0 systemd --env prod --remove
snapshot >again
same installed again
expect 0 systemd --env dev --remove
snapshot >after
same before after

# A unit of the same name that somebody else wrote is not ours to replace or remove.
echo 'mine' >"$units/holdfast-backup@dev.service"
expect 1 systemd --env dev
holds err 'was not written by Holdfast'
[ "$(cat "$units/holdfast-backup@dev.service")" = mine ] || wrong "a foreign unit was replaced"
