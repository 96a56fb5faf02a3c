#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

ask() {
    config '[env.prod]' 'database = "prod.db"' 'protected = true' '[env.prod.approval]' "command = [$1]" 'timeout = "1s"'
}
ask '"true"'
ledger prod.db 9
expect 0 backup-db -e prod
add_row prod.db
before=$(hash_of prod.db)

# The dry run asks nobody, and has no code to give.
ask '"sh", "-c", "touch asked"'
expect 0 restore-db -e prod latest -n
prints 'approval.command will be asked'
[ ! -e asked ] || wrong "the dry run has asked"
expect 0 restore-db -e prod latest -n --json
is "$(jq -r .approval.by "$OUT")" command "who decides"

ask '"sh", "-c", "cat >seen; echo one >&2; echo not on a friday >&2; exit 3"'
expect 4 restore-db -e prod latest
says 'approval.command, sh, says no: not on a friday'
prints_nothing
# Nobody overrules it.
expect 4 restore-db -e prod latest --confirm prod
is "$(jq -r '.operation, .risk, .environment, .target, .subject' seen | tr '\n' ' ')" \
    "restore high prod sqlite:$PWD/prod.db $(backups prod) " "what the command was asked"
jq -e '.reasons[0].why | contains("prod is protected")' seen >"$OUT" || wrong "the request has no reason"

ask '"sh", "-c", "sleep 60 & wait"'
begin=$(date +%s)
expect 4 restore-db -e prod latest
says 'gave no answer within 1s, and was stopped'
[ $(($(date +%s) - begin)) -lt 20 ] || wrong "it was waited for far too long"
ask '"./no-such-program"'
expect 4 restore-db -e prod latest
says 'approval.command, ./no-such-program, cannot be asked: cannot start ./no-such-program: not found'
ask '"no-such-program"'
expect 4 restore-db -e prod latest
says 'no-such-program is not found'
ask '"sh", "-c", "kill -9 $$"'
expect 4 restore-db -e prod latest
says 'ended by signal 9'
is "$(hash_of prod.db)" "$before" "the database"
is "$(count prod)" 1 "backups: no safety backup was made"

ask '"sh", "-c", "jq -e \".risk == \\\"high\\\"\" >/dev/null && echo ticket 12 >&2"'
expect 0 restore-db -e prod latest
has_rows prod.db 9
nothing_left
