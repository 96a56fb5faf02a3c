#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

config '[env.dev]' 'database = "app.db"' '[env.prod]' 'database = "prod.db"' 'protected = true'
ledger app.db 10
ledger prod.db 10
# trail: the events of the last run, with what came of each.
trail() {
    cp "$OUT" kept.out
    cp "$ERR" kept.err
    expect 0 backup-guard audit --limit 0 --json
    jq -r '.lines[-1].run as $run | .lines | map(select(.run == $run) | .event + (if .result then ":" + .result else "" end)) | join(" ")' "$OUT"
    jq -c '.lines[-1]' "$OUT" >last
    cp kept.out "$OUT"
    cp kept.err "$ERR"
}
# audited WANTED STATUS
audited() {
    is "$(trail)" "$1" "the lines of this run"
    is "$(jq .status last)" "$2" "the status in its outcome"
}
expect 0 safe-migrate -e dev -- sqlite3 app.db 'INSERT INTO entry (cents) VALUES (1)'
audited 'start plan command:begun command:done outcome:done' 0
is "$(jq -r '.tool, .operation, .environment, .target, (.backup | contains("-dev-migration-")), .detail.outcome, .detail.database.state' last | tr '\n' ' ')" \
    "safe-migrate migrate dev sqlite:$PWD/app.db true done migrated " "the outcome"
expect 3 safe-migrate -e dev -- sh -c 'sqlite3 app.db "DELETE FROM entry"; exit 3'
audited 'start plan command:begun command:failed outcome:failed' 3
is "$(jq -r '.detail.database.state' last)" rolled_back "the database in the trail"
expect 123 safe-migrate -e dev -- sqlite3 app.db 'DELETE FROM entry'
audited 'start plan command:begun command:done outcome:rejected' 123
expect 124 safe-migrate -e dev --timeout 1s -- sleep 20
audited 'start plan command:begun command:timed_out outcome:timed out' 124
expect 143 safe-migrate -e dev -- sh -c 'kill $$'
audited 'start plan command:begun command:failed outcome:stopped' 143
expect 0 safe-migrate -e dev --rehearse -- sqlite3 "$PWD/app.db" 'SELECT 1'
audited 'start plan command:begun command:done command:begun command:done outcome:done' 0
expect 0 safe-db-test -e dev -- true
audited 'start plan command:begun command:done outcome:done' 0
expect 122 safe-db-test -e dev -- sqlite3 app.db 'UPDATE entry SET cents = 0'
audited 'start plan command:begun command:done outcome:leaked' 122
is "$(jq -r '.detail.leak.tables[0].table' last)" entry "the table in the trail"
expect 0 safe-db-test -e dev --in-place -- sqlite3 app.db 'DELETE FROM entry'
audited 'start plan command:begun command:done outcome:done' 0
# What was refused is told; what was wrong before anything was looked at leaves no line.
expect 125 safe-migrate missing.db -e dev -- true
audited 'start outcome:not started' 125
lines=$(cat backups/audit/* | wc -l)
run safe-migrate -e dev -- ./nowhere
run safe-migrate -e dev -n -- true
run safe-migrate -e dev --nonsense -- true
run safe-migrate -e dev --on-failure ask -- true
is "$(cat backups/audit/* | wc -l)" "$lines" "lines of what was not begun"
# A protected environment: who approved what.
expect 125 safe-migrate -e prod -- true
audited 'start plan approval:refused outcome:not started' 125
expect 0 safe-migrate -e prod -n --json -- sqlite3 prod.db 'INSERT INTO entry (cents) VALUES (1)'
CODE=$(value .approval.confirm)
expect 125 safe-migrate -e prod --confirm "$CODE" -- sqlite3 prod.db 'DELETE FROM entry'
has_rows prod.db 10
expect 0 safe-migrate -e prod --confirm "$CODE" -- sqlite3 prod.db 'INSERT INTO entry (cents) VALUES (1)'
audited 'start plan approval:granted command:begun command:done outcome:done' 0
has_rows prod.db 11
expect 125 safe-migrate -e prod --confirm "$CODE" -- sqlite3 prod.db 'INSERT INTO entry (cents) VALUES (1)'
has_rows prod.db 11
expect 125 safe-migrate -e prod -- true
# A killed one has no outcome, and the run that ends it has its own.
setsid safe-migrate -e dev -- sh -c 'sqlite3 app.db "DELETE FROM entry"; touch ran; sleep 60' &
victim=$!
wait_for "the command" test -e ran
kill -9 "-$victim"
wait "$victim" 2>/dev/null || :
expect 0 backup-guard audit --summary --json
is "$(jq -r '.summary.unfinished | map(.tool // .operation) | length' "$OUT")" 1 "unfinished runs"
expect 0 safe-migrate -e dev --resume
audited 'start outcome:done' 0
is "$(jq -r '.detail.outcome, .detail.database.state' last | tr '\n' ' ')" "resumed rolled_back " "the end of it"
has_rows app.db 11

# The report: the last line of stdout, whatever the command has written; and a file.
expect 0 safe-migrate -e dev --json --report report.json -- printf 'two\nlines, the last not ended'
is "$(head -n 2 "$OUT")" "two
lines, the last not ended" "what the command wrote"
is "$(tail -n 1 "$OUT" | jq -Sc .)" "$(jq -Sc . report.json)" "the report in the file"
is "$(jq -r '.environment, .target, .command, .proven, .command_status, .outcome, .state.state, (.left_behind | length), (.changes == null), (.rehearsal == null)' report.json | tr '\n' '|')" \
    "dev|sqlite:$PWD/app.db|printf 'two\\nlines, the last not ended'|true|0|done|unchanged|0|true|true|" "the report"
is "$(stat -c %a report.json)" 600 "mode of the report"
expect 3 safe-migrate -e dev --json --no-prove -- sh -c 'echo "{}"; sqlite3 app.db "CREATE TABLE t (x); DELETE FROM entry WHERE id < 3"; exit 3'
is "$(value '.proven, .command_status, .outcome, .state.state, .state.kept_aside, (.changes.tables | map(.table + " " + .change) | join(", ")), .changes.schema[0].object' | tr '\n' '|')" \
    "false|3|failed|rolled_back|$(aside)|entry rows, t added|table t|" "the report"
expect 122 safe-db-test -e dev --json --report report.json -- sh -c 'sqlite3 app.db "DELETE FROM entry"'
is "$(jq -r '.state, .leak.tables[0].after, .command_status' report.json | tr '\n' ' ')" "leaked 0 0 " "the report"
expect 0 restore-db -e dev "$(jq -r .backup report.json)"
has_rows app.db 11
# Errors are a document too, the only line there is.
expect 127 safe-migrate -e dev --json -- ./nowhere
is "$(jq -r .error.status "$OUT")" 127 "the status in the error"
expect 125 safe-migrate missing.db -e dev --json -- true
is "$(wc -l <"$OUT") $(jq -r .error.status "$OUT")" '1 125' "the error"
# A report that cannot be written changes nothing else.
expect 0 safe-migrate -e dev --report nowhere/report.json -- true
says 'the report could not be written'
STATUS=0
safe-migrate -e dev --json -- sh -c 'exit 5' >/dev/full 2>"$ERR" || STATUS=$?
is "$STATUS" 5 "status with a full stdout"
says 'the report could not be printed'
# A trail that cannot be written is told by the status, and undoes nothing.
mv backups/audit audit
echo x >backups/audit
expect 119 safe-migrate -e dev -- sqlite3 app.db 'INSERT INTO entry (cents) VALUES (1)'
says 'the audit trail lacks a line'
has_rows app.db 12
expect 3 safe-migrate -e dev -- sh -c 'sqlite3 app.db "DELETE FROM entry"; exit 3'
has_rows app.db 12
rm backups/audit
mv audit backups/audit
all_verify -q -e prod
nothing_stands
nothing_left
