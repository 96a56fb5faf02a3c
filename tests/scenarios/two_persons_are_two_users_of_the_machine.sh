#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

[ "$(id -u)" = 0 ] || not_run "it takes root to be two users"
command -v setpriv >/dev/null || not_run "it takes setpriv (util-linux) to be two users"
ANN=41001
BOB=41002
chmod 711 "$SAID"
chmod 755 .
SHARED=$PWD/shared
STATES=$PWD
# as USER COMMAND…: as that user, with a state directory of theirs.
as() {
    uid=$1
    shift
    setpriv --reuid="$uid" --regid="$uid" --clear-groups env HOLDFAST_STATE_DIR="$STATES/state-$uid" "$@"
}
as "$ANN" backup-db --version >"$OUT" 2>&1 || not_run "another user cannot run the binaries where they are"
for uid in "$ANN" "$BOB"; do
    mkdir -m 700 "state-$uid"
    chown "$uid" "state-$uid"
done
mkdir shared app
chmod 1777 shared
cd app
config '[env.prod]' 'database = "prod.db"' 'protected = true' '[env.prod.approval]' 'by = "other"' 'folder = "../shared"' 'command = ["true"]'
ledger prod.db 9
chown -R "$ANN" .
expect 0 as "$ANN" backup-db -e prod
sqlite3 prod.db 'INSERT INTO entry (cents) VALUES (1)'
before=$(hash_of prod.db)
refused() {
    is "$(hash_of prod.db)" "$before" "the database"
    is "$(count prod)" 1 "backups: no safety backup was made"
}
asked() { jq -r .approval.confirm "$OUT" | cut -d: -f2; }
restore() { as "$ANN" restore-db -e prod latest "$@"; }

# The refused run says who must do what; neither a name nor a command counts.
expect 4 restore
says 'only another user may approve this'
code=$(sed -n 's/.*backup-guard approve \([^ ]*\) --folder.*/\1/p' "$ERR")
says "then run this again with --confirm prod:$code"
is "$(stat -c '%u %a' "$SHARED/$code.request.json")" "$ANN 644" "owner and mode of the request"
expect 4 restore --confirm prod
expect 4 restore --confirm "prod:$code"
says "no other user has approved $code yet"
says "backup-guard approve $code --folder"
# Whoever asks cannot approve, and neither can a file of theirs.
expect 4 as "$ANN" backup-guard approve "$code"
says 'cannot approve it too'
[ ! -e "$SHARED/$code.approval.json" ] || wrong "ann has approved what she asks for"
# Looking writes nothing; then bob approves, who may read neither the configuration nor the store.
expect 0 as "$BOB" backup-guard approve "$code" --folder "$SHARED" -n
prints 'risk     high'
prints "restore, sqlite:$PWD/prod.db"
[ ! -e "$SHARED/$code.approval.json" ] || wrong "looking has approved"
expect 4 as "$BOB" backup-guard approve 0000-0000 --folder "$SHARED"
says 'there is no request 0000-0000'
expect 0 as "$BOB" backup-guard approve "$code" --folder "$SHARED"
prints 'prod is protected'
prints "approved	$SHARED/$code.approval.json"
is "$(stat -c '%u %a' "$SHARED/$code.approval.json")" "$BOB 644" "owner and mode of the approval"
expect 1 as "$BOB" backup-guard approve "$code" --folder "$SHARED"
refused

# What can be forged with it. good: bob's approval, to be put back each time.
good=$SHARED/$code.approval.json
cp -p "$good" ../good
back() {
    rm -f "$good"
    cp -p ../good "$good"
}
forged() {
    expect 4 restore --confirm "prod:$code"
    says "$1"
    refused
    back
}
rm "$good"
as "$ANN" cp ../good "$good"
forged 'who asks'
mv "$good" "$SHARED/elsewhere"
as "$ANN" ln -s "$SHARED/elsewhere" "$good"
forged 'is a link'
ln "$SHARED/elsewhere" "$SHARED/second" && rm "$good" && mv "$SHARED/second" "$good"
forged 'several names'
chmod 666 "$good"
forged 'others than its owner can write into it'
rm "$good" && mkfifo "$good" && chown "$BOB" "$good"
forged 'is no regular file'
rm "$good" && : >"$good" && chown "$BOB" "$good"
forged 'it cannot be read'
# Bob approved another request than what is there now.
cp -p "$SHARED/$code.request.json" ../asked
cp "$STATES/state-$ANN/approvals/$code.json" ../noted
jq '.request.reasons[0].why = "nothing to see here"' ../noted >"$STATES/state-$ANN/approvals/$code.json"
forged 'what was approved is another request'
cp ../noted "$STATES/state-$ANN/approvals/$code.json"
# Where files seem to belong to somebody else than who wrote them, owners mean nothing.
chown nobody "$SHARED/$code.request.json"
forged 'not to who asks'
chown "$ANN" "$SHARED/$code.request.json"
# Of another plan, and out of its time.
expect 0 restore -n --json
other=$(asked)
expect 0 as "$BOB" backup-guard approve "$other" --folder "$SHARED"
rm "$good" && mv "$SHARED/$other.approval.json" "$good"
forged "it is for $other"
later=$(date -u -d '+61 minutes' +%Y-%m-%dT%H:%M:%SZ)
expect 4 at "$later" restore --confirm "prod:$code"
says 'has expired'
expect 4 at "$later" as "$BOB" backup-guard approve "$other" --folder "$SHARED"
says 'has expired'
jq '.at = "2020-01-01T00:00:00Z"' ../good >"$good.new" && chmod 644 "$good.new" && chown "$BOB" "$good.new" && mv "$good.new" "$good"
forged 'does not fit the time of the request'

# As it is meant; and not twice.
expect 0 restore --confirm "prod:$code"
has_rows prod.db 9
[ ! -e "$SHARED/$code.request.json" ] || wrong "the request is still there"
before=$(hash_of prod.db)
expect 4 restore --confirm "prod:$code"
says 'was used already'
cp -p ../asked "$SHARED/$code.request.json"
expect 4 restore --confirm "prod:$code"
says 'was used already'
is "$(hash_of prod.db)" "$before" "the database"

# Root asks, and anybody else approves; but not who became root by sudo.
root_restores() { HOLDFAST_STATE_DIR=$STATES/state-root restore-db -e prod latest "$@"; }
expect 0 root_restores -n --json
code=$(asked)
prints "backup-guard approve $code"
expect 0 as "$BOB" backup-guard approve "$code" --folder "$SHARED" --json
is "$(jq -r '.asked_by, .request.user' "$OUT" | tr '\n' ' ')" 'root root ' "who asks"
expect 4 env SUDO_UID="$BOB" HOLDFAST_STATE_DIR="$STATES/state-root" restore-db -e prod latest --confirm "prod:$code"
says 'through sudo'
expect 0 root_restores --confirm "prod:$code"
has_rows prod.db 9
