# shellcheck shell=sh source=tests/schedules/story.sh
. "$REPO/tests/schedules/story.sh"

cat >mine.toml <<'TOML'
exclude = ["*.tmp"]
[env.prod]
database = "app.db"
files = ["media"]
[env.prod.retention]
keep_last = 3
[env.dev]
database = "dev.db"
#files = ["media"]
[env."settings"]
config_files = [
    ".env",
]
[env.none]
files = []
TOML
job() { "$REPO/scripts/install-schedule" "$1" --bin-dir "$BINARIES" --config mine.toml --dry-run --env "$2" ${3+"$3"} >out 2>err; }

job cron prod
holds out "$BINARIES/backup-full -q -e prod"
lacks out backup-db
holds out "$BINARIES/backup-guard -e prod"
job cron settings
holds out "$BINARIES/backup-full -q -e settings"
for env in dev none other; do
    job cron "$env"
    holds out "$BINARIES/backup-db -q -e $env"
done
job cron dev --full
holds out "$BINARIES/backup-full -q -e dev"
job cron prod --database
holds out "$BINARIES/backup-db -q -e prod"

# The same in units, where it is also put in place of what was there.
expect 0 systemd --env prod --config mine.toml --database
expect 0 systemd --env prod --config mine.toml
holds "$HOME/.config/systemd/user/holdfast-backup@prod.service" "ExecStart=$BINARIES/backup-full -q -e %i --wait 10m"

# Without --config it is the configuration that the jobs find.
cp mine.toml "$HOME/.config/holdfast/holdfast.toml"
expect 0 cron --env prod
holds "$FAKES/crontab" "$BINARIES/backup-full -q -e prod"
expect 0 launchd --env prod
holds "$HOME/Library/LaunchAgents/holdfast.backup-db.prod.plist" "<string>$BINARIES/backup-full</string>"
expect 0 cron --env prod --remove
