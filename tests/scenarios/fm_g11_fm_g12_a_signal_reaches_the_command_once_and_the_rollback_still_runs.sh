#!/bin/sh
# shellcheck disable=SC2086 # words
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

config '[env.dev]' 'database = "app.db"'
ledger app.db 10
before=$(content app.db)
cat >migrate <<'END'
#!/bin/sh
# Notes every signal, and ends by it after a moment.
for name in INT TERM HUP; do trap "echo $name >>got; sleep 0.1; exit 9" $name; done
sqlite3 app.db 'DELETE FROM entry WHERE id > 3'
touch ready
n=0
while [ $n -lt 600 ]; do sleep 0.05; n=$((n + 1)); done
END
chmod 755 migrate
# Not as children of this shell, which ignores SIGINT for what it starts in the background.
cat >start <<'END'
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.setsid()
os.execvp(sys.argv[1], sys.argv[1:])
END
for tool in safe-migrate 'safe-db-test --in-place' 'safe-migrate --rehearse'; do
    signals='INT TERM HUP'
    [ "$tool" = safe-migrate ] || signals=TERM
    for signal in $signals; do
        for whom in '' -; do
            rm -f got ready
            # shellcheck disable=SC2086 # they are words
            python3 start $tool -e dev -- ./migrate >"$OUT" 2>"$ERR" &
            victim=$!
            wait_for "the command" test -e ready
            kill -$signal "$whom$victim"
            STATUS=0
            wait $victim || STATUS=$?
            case $tool in
                # What was meant for a clone reached the real database, and that counts for more.
                *rehearse) is "$STATUS" 123 "$tool, SIG$signal to $whom: status" ;;
                *) is "$STATUS" 9 "$tool, SIG$signal to $whom: status" ;;
            esac
            is "$(cat got)" $signal "$tool, SIG$signal to $whom: what the command got"
            is "$(content app.db)" "$before" "$tool, SIG$signal to $whom: what the database holds"
            nothing_stands
        done
    done
done
# Before the command there is nothing to roll back. A larger database, so that its backup is not over before it is halted.
ledger large.db 200000
for tool in safe-migrate safe-db-test; do
    rm -f got ready
    : >"$OUT"
    halted python3 start $tool -e dev large.db -- ./migrate
    kill -TERM "$VICTIM"
    kill -CONT "$VICTIM"
    STATUS=0
    wait "$VICTIM" || STATUS=$?
    is "$STATUS" 143 "status of $tool that was stopped in its backup"
    [ ! -e ready ] || wrong "the command ran"
    nothing_stands
    nothing_left
done
rm large.db
# During the rollback a stop waits for its end.
cat >hold <<'END'
import os, sqlite3, time
db = sqlite3.connect("app.db", isolation_level=None)
db.execute("BEGIN IMMEDIATE")
open("held", "w").close()
while not os.path.exists("enough"):
    time.sleep(0.02)
END
rm -f ready
python3 start safe-migrate -v -e dev -- sh -c 'sqlite3 app.db "DELETE FROM entry"; touch ready; while [ ! -e held ]; do sleep 0.02; done; exit 4' >"$OUT" 2>"$ERR" &
victim=$!
wait_for "the command" test -e ready
python3 hold &
holder=$!
wait_for "the rollback" grep -q 'rolling back to' "$ERR"
kill -TERM $victim
sleep 0.5
kill -0 $victim || wrong "it did not wait"
touch enough
wait $holder
STATUS=0
wait $victim || STATUS=$?
is "$STATUS" 4 "status"
is "$(content app.db)" "$before" "what the database holds"
nothing_stands

# At a terminal: the key, and a terminal that is closed.
cat >at-terminal <<'END'
import os, pty, sys, time
how, command = sys.argv[1], sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(command[0], command)
while not os.path.exists("ready"):
    time.sleep(0.02)
if how == "key":
    os.write(terminal, b"\x03")
    try:
        while os.read(terminal, 4096):
            pass
    except OSError:
        pass
else:
    os.close(terminal)
ended = os.waitpid(pid, 0)[1]
sys.exit(os.WEXITSTATUS(ended) if os.WIFEXITED(ended) else 128 + os.WTERMSIG(ended))
END
for how in key close; do
    rm -f got ready
    expect 9 python3 at-terminal $how safe-migrate -e dev -- ./migrate
    case $how in key) wanted=INT ;; close) wanted=HUP ;; esac
    is "$(cat got)" $wanted "what the command got"
    is "$(content app.db)" "$before" "what the database holds"
    nothing_stands
done
rm -f ready
expect 130 python3 at-terminal key safe-migrate -e dev -- sh -c 'sqlite3 app.db "DELETE FROM entry"; touch ready; exec sleep 60'
is "$(content app.db)" "$before" "what the database holds"
nothing_stands
nothing_left
