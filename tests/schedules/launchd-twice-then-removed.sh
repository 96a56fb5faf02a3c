# shellcheck shell=sh source=tests/schedules/story.sh
. "$REPO/tests/schedules/story.sh"

agents=$HOME/Library/LaunchAgents
snapshot >before

expect 0 launchd --env dev
holds "$agents/holdfast.backup-db.dev.plist" "<string>$BINARIES/backup-db</string>"
holds "$agents/holdfast.backup-db.dev.plist" "<string>$HOME/Library/Logs/holdfast/holdfast.backup-db.dev.log</string>"
[ -d "$HOME/Library/Logs/holdfast" ] || wrong "the folder of the logs is missing"
holds "$FAKES/calls" "bootstrap gui/$(id -u) holdfast.backup-guard.dev"
snapshot >installed

: >"$FAKES/calls"
expect 0 launchd --env dev
snapshot >again
same installed again
[ ! -s "$FAKES/calls" ] || wrong "the second run changed something"

# launchd reads a file once: a changed one is taken out and brought in again, even where launchd needs a moment.
: >'a & b.toml'
: >"$FAKES/busy"
expect 0 launchd --env dev --config 'a & b.toml'
holds "$FAKES/calls" "bootout gui/$(id -u)/holdfast.backup-db.dev"
holds "$FAKES/loaded/holdfast.backup-db.dev" "<string>$PWD/a &amp; b.toml</string>"

expect 0 launchd --env dev --remove
[ ! -d "$HOME/Library/Logs/holdfast" ] || wrong "the folder of the logs is still there"
snapshot >after
same before after
