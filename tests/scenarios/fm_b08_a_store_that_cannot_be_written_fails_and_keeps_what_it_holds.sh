#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

[ "$(id -u)" = 0 ] || not_run "becoming another user takes root"
id nobody >/dev/null 2>&1 || not_run "there is no user nobody"
ledger app.db 5
expect 0 backup-db app.db
before=$(snapshot backups)
chmod 755 "$SAID" . backups backups/dev
mkdir nobody
chown nobody nobody
state=$HOLDFAST_STATE_DIR
HOLDFAST_STATE_DIR=$PWD/nobody
export HOLDFAST_STATE_DIR
as_nobody() { setpriv --reuid nobody --regid "$(id -g nobody)" --clear-groups "$@"; }
# A store that may be read but not written; a database that may not be read; a folder that may not be entered.
chmod 644 backups/holdfast.json app.db
expect 1 as_nobody backup-db app.db
says 'Permission denied'
says "$PWD/backups"
prints_nothing
chmod 600 app.db
mkdir private
cp app.db private
chmod 700 private
expect 1 as_nobody backup-db app.db --store nobody/backups
says "cannot open $PWD/app.db"
expect 1 as_nobody backup-db private/app.db --store nobody/backups
says 'Permission denied'
# A state directory that cannot be made.
expect 1 env HOLDFAST_STATE_DIR="$PWD/private/state" setpriv --reuid nobody --regid "$(id -g nobody)" --clear-groups backup-db app.db
says 'HOLDFAST_STATE_DIR'
chmod 700 "$SAID" . backups backups/dev
chmod 600 backups/holdfast.json
is "$(snapshot backups)" "$before" "the store"
rm -rf nobody/backups
HOLDFAST_STATE_DIR=$state
all_verify -q
nothing_left
# What root leaves in the audit trail of somebody else's store does not lock that user out.
export HOLDFAST_STATE_DIR="$PWD/nobody/state"
cp app.db nobody
chown -R nobody:"$(id -g nobody)" nobody
chmod 755 "$SAID" .
expect 0 as_nobody backup-db nobody/app.db --store nobody/backups
rm -r nobody/backups/audit
expect 0 env HOLDFAST_STATE_DIR="$state" backup-guard --store nobody/backups
rm -r nobody/state/audit-heads
expect 0 as_nobody backup-db nobody/app.db --store nobody/backups
is "$(jq -rs 'map(.user) | unique | join(" ")' nobody/backups/audit/*)" "nobody root" "the users in the trail"
