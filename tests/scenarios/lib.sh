# The words that the scenarios share. Each script runs in an empty folder, with $HOLDFAST_STATE_DIR of its own and the
# binaries on PATH; what the last command of `expect` printed is in $OUT and $ERR.
# shellcheck shell=sh disable=SC2119,SC2120 # a word's arguments are its own, and not the script's
set -eu

OUT=$SAID/out
ERR=$SAID/err
: >"$OUT"
: >"$ERR"

# wrong WHY: ends the scenario as failed, and shows what the last command said.
wrong() {
    echo "wrong: $1" >&2
    sed 's/^/  out: /' "$OUT" >&2
    sed 's/^/  err: /' "$ERR" >&2
    exit 1
}

# not_run WHY: this machine cannot run it.
not_run() {
    echo "$1" >&2
    exit 77
}

# run COMMAND…: runs it, and keeps what it said and its status in $STATUS.
run() {
    STATUS=0
    "$@" >"$OUT" 2>"$ERR" </dev/null || STATUS=$?
}

# expect STATUS COMMAND…: the exit status is exactly that.
expect() {
    wanted=$1
    shift
    run "$@"
    [ "$STATUS" = "$wanted" ] || wrong "$*: status $STATUS, not $wanted"
}

# plan COMMAND…: its dry run, as JSON; $CODE is what approves it, as --confirm takes it.
plan() {
    expect 0 "$@" -n --json
    CODE=$(jq -r .approval.confirm "$OUT")
    [ "$CODE" != null ] || wrong "$*: nothing is to be confirmed"
}
# approved COMMAND…: with the code of its own dry run it succeeds.
approved() {
    plan "$@"
    expect 0 "$@" --confirm "$CODE"
}

# stdout or stderr of the last command holds a text; lacks it; is empty.
prints() { grep -qF -e "$1" "$OUT" || wrong "stdout does not hold: $1"; }
says() { grep -qF -e "$1" "$ERR" || wrong "stderr does not hold: $1"; }
lacks() { ! grep -qF -e "$2" "$1" || wrong "$1 holds: $2"; }
prints_nothing() { [ ! -s "$OUT" ] || wrong "stdout is not empty"; }
says_nothing() { [ ! -s "$ERR" ] || wrong "stderr is not empty"; }

# is FOUND WANTED WHAT
is() { [ "$1" = "$2" ] || wrong "$3: $1, not $2"; }

# The id and the folder that backup-db printed.
made() { cut -f1 "$OUT"; }
backup() { cut -f2 "$OUT"; }

# ledger FILE ROWS: a database with that many entries.
ledger() {
    sqlite3 "$1" "CREATE TABLE entry (id INTEGER PRIMARY KEY, cents INTEGER NOT NULL);
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $2) INSERT INTO entry SELECT i, i * 7 FROM n;"
}
# big_ledger FILE MB: one whose backup takes a moment, since nothing in it can be compressed.
big_ledger() {
    ledger "$1" 10
    sqlite3 "$1" "CREATE TABLE scan (page BLOB);
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $2) INSERT INTO scan SELECT randomblob(1000000) FROM n;"
}
rows() { sqlite3 "$1" 'SELECT count(*) FROM entry'; }
add_row() { sqlite3 "$1" 'INSERT INTO entry (cents) VALUES (1)'; }
# A database is sound and has that many rows.
has_rows() {
    is "$(sqlite3 "$1" 'PRAGMA integrity_check')" ok "integrity of $1"
    is "$(rows "$1")" "$2" "rows of $1"
}
# All that a database holds, as text: two that print the same hold the same.
content() { sqlite3 "$1" .dump 'PRAGMA user_version' 'PRAGMA application_id'; }
hash_of() { sha256sum "$1" | cut -d' ' -f1; }
# Everything below a folder: names, modes, contents.
snapshot() { find "$1" -printf '%p %m %y\n' | sort && find "$1" -type f -exec sha256sum {} + | sort; }

# The published backups of an environment (the default is dev), one id a line, in a store (the default is ./backups).
backups() {
    if [ -d "${2:-backups}/${1:-dev}" ]; then (cd "${2:-backups}/${1:-dev}" && find . -mindepth 1 -maxdepth 1 -type d | sed 's/^..//' | sort); fi
}
count() { backups "$@" | wc -l | tr -d ' '; }

# Every published backup is whole, in Holdfast's eyes and in those of sha256sum; and so is the audit trail.
all_verify() {
    expect 0 backup-guard audit --limit 1
    for folder in backups/*/*-*-*-*; do
        [ -d "$folder" ] || continue
        (cd "$folder" && sha256sum --quiet --strict -c SHA256SUMS) >"$OUT" 2>"$ERR" || wrong "$folder does not match its SHA256SUMS"
    done
    expect 0 backup-guard --verify structure "$@"
}
# No staging, trash or scratch folder, no clone that was kept, no half-restored database, no half-written note.
nothing_left() {
    left=$(find . \( -name '.staging-*' -o -name '.trash-*' -o -name '.scratch-*' -o -name '.clone-*' -o -name '*.restore-*' -o -name '*.part' \))
    left=$left$(find "$HOLDFAST_STATE_DIR" \( -name '*.new-*' -o -path '*/staging/*/*' \) 2>/dev/null || :)
    [ -z "$left" ] || wrong "left behind: $left"
}

# No interrupted migration or test run stands in the journal.
nothing_stands() {
    standing=$(find "$HOLDFAST_STATE_DIR/journal" -name '*.json' 2>/dev/null || :)
    [ -z "$standing" ] || wrong "the journal holds: $standing"
}
# Where the last command keeps the failed state, as it says.
aside() { sed -n 's/.* kept as \([^;,]*\)[;,].*/\1/p' "$ERR"; }
# value FILTER: of the JSON document that is the last line of stdout.
value() { tail -n 1 "$OUT" | jq -r "$1"; }

# config LINES…: writes holdfast.toml.
config() {
    printf '%s\n' "$@" >holdfast.toml
    chmod 600 holdfast.toml
}
# at TIME COMMAND…: with the clock at that time.
at() {
    now=$1
    shift
    HOLDFAST_TEST_NOW=$now "$@"
}
# A number below $1; the seed was printed, so that a failure can be had again.
SEED=${SEED:-$$}
echo "$SEED" >"$SAID/seed"
random() {
    # In a file, since it is mostly asked in a subshell.
    drawn=$((($(cat "$SAID/seed") * 1103515245 + 12345) % 2147483648))
    echo "$drawn" >"$SAID/seed"
    echo $((drawn / 65536 % $1))
}
# halted COMMAND…: starts a backup, and halts it (as $VICTIM) as soon as it has a staging folder; kill -CONT lets it go on.
halted() {
    "$@" >"$OUT" 2>"$ERR" &
    VICTIM=$!
    wait_for "a staging folder" sh -c 'ls -d backups/.staging-*'
    kill -STOP "$VICTIM"
}
# wait_for WHAT COMMAND…: until the command succeeds, for at most 20 s.
wait_for() {
    what=$1
    shift
    tries=0
    until "$@" >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ "$tries" -lt 2000 ] || wrong "$what did not come within 20 s"
        sleep 0.01
    done
}
