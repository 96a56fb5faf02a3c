#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

config '[env.dev]' 'database = "app.db"' 'on_failure = "ask"'
ledger app.db 10
before=$(content app.db)
# at-terminal ANSWER COMMAND…: runs it at a terminal of its own, and gives that answer when it is asked; `hangup` closes the terminal instead.
cat >at-terminal <<'END'
import os, pty, select, signal, sys
answer, command = sys.argv[1], sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(command[0], command)
said, asked = b"", False
while True:
    try:
        if not select.select([terminal], [], [], 20)[0]:
            sys.exit("nothing more came: %r" % said)
        part = os.read(terminal, 4096)
    except OSError:
        break
    if not part:
        break
    said += part
    if not asked and b"type restore to go on: " in said:
        asked = True
        if answer == "hangup":
            os.close(terminal)
            break
        os.write(terminal, answer.encode() + b"\n")
sys.stdout.write(said.decode().replace("\r\n", "\n"))
ended = os.waitpid(pid, 0)[1]
sys.exit(os.WEXITSTATUS(ended) if os.WIFEXITED(ended) else 128 + os.WTERMSIG(ended))
END
lossy='DELETE FROM entry WHERE id > 3'
expect 123 python3 at-terminal restore safe-migrate -e dev -- sqlite3 app.db "$lossy"
prints 'table entry has lost 7 rows; 1 table changed, 7 rows lost. Bring sqlite:'
prints 'anything but restore leaves it as it is'
prints '; rolled back to 20'
is "$(content app.db)" "$before" "what the database holds"
nothing_stands
expect 4 python3 at-terminal restore safe-migrate -e dev -- sh -c "sqlite3 app.db '$lossy'; exit 4"
prints 'the command ended with status 4; 1 table changed'
is "$(content app.db)" "$before" "what the database holds"
# Nobody is asked where there is nothing to decide.
expect 4 python3 at-terminal restore safe-migrate -e dev -- sh -c 'exit 4'
lacks "$OUT" 'to go on'
expect 0 python3 at-terminal restore safe-migrate -e dev -- true
# Somebody who is gone has not said no: the database waits for --resume.
expect 121 python3 at-terminal hangup safe-migrate -e dev -- sqlite3 app.db "$lossy"
has_rows app.db 3
expect 125 safe-migrate -e dev --on-failure restore -- true
says 'an interrupted safe-migrate stands on'
says 'since then: 1 table changed, 7 rows lost'
expect 123 safe-migrate -e dev --resume
is "$(content app.db)" "$before" "what came back"
nothing_stands
# Somebody who says no is heard.
expect 123 python3 at-terminal no safe-migrate -e dev -- sqlite3 app.db "$lossy"
prints 'the database stays as it is'
has_rows app.db 3
nothing_stands
nothing_left
