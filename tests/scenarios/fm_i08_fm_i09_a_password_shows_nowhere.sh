#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

secret=hunter2-canary
ledger app.db 5
url="postgres://ledger:$secret@127.0.0.1:1/ledger"
config '[env.dev]' "database = \"$url\""
for tool in "backup-db -vv" "backup-db --json" "backup-db -n" "backup-guard" "restore-db --list" "restore-db latest -n"; do
    # shellcheck disable=SC2086 # words
    run $tool
    lacks "$OUT" "$secret"
    lacks "$ERR" "$secret"
done
run backup-db "$url" -vv
lacks "$ERR" "$secret"
rm holdfast.toml
expect 0 backup-db app.db
run restore-db latest --to "$url" -v
lacks "$OUT" "$secret"
lacks "$ERR" "$secret"
! grep -rqF "$secret" backups "$HOLDFAST_STATE_DIR" || wrong "the password is in the store or the state directory: $(grep -rlF "$secret" backups "$HOLDFAST_STATE_DIR")"
# The command that runs after a restore gets no password either, and its failure is partial success.
cat >restart <<'SCRIPT'
#!/bin/sh
env >restarted
SCRIPT
chmod +x restart
config '[env.dev]' 'database = "app.db"' "restart = [\"$PWD/restart\"]"
expect 0 restore-db -e dev latest
[ -s restarted ] || wrong "the restart did not run"
printf '#!/bin/sh\nexit 3\n' >restart
expect 7 restore-db -e dev latest
says 'the restart failed'
has_rows app.db 5
