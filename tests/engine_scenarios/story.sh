# What all scenarios share, whichever engine they run on. Each runs in an empty folder of its own; the engine's words
# (make_ledger, rows_of, drop_table …) come from $WORDS, which reads this file first.
# shellcheck shell=sh
set -eu

mkdir -p "$HOME" "$TMPDIR" fakes
chmod 1777 "$TMPDIR"
STORE=$PWD/backups

wrong() {
    echo "wrong: $1" >&2
    for file in out err; do [ ! -e "$file" ] || sed "s/^/  $file: /" "$file" >&2; done
    exit 1
}

# expect STATUS COMMAND…: runs it and keeps what it printed in `out` and `err`.
expect() {
    wanted=$1
    shift
    got=0
    "$@" >out 2>err </dev/null || got=$?
    [ "$got" = "$wanted" ] || wrong "$*: status $got, not $wanted"
}

# as_approved COMMAND…: runs a command as its dry run was read and approved; its status is the run's.
as_approved() {
    with -n "$@" >plan.txt 2>&1 || { cat plan.txt >&2 && return 99; }
    code=$(sed -n 's/.*--confirm \([^ ]*\).*/\1/p' plan.txt | head -n 1)
    with "${code:+--confirm=$code}" "$@"
}
# approved COMMAND…: the same, and it succeeds.
approved() { expect 0 as_approved "$@"; }
# with FLAG COMMAND…: the command with that flag before its first --, or at its end; with none, as it is.
with() {
    flag=$1 count=$(($# - 1))
    shift
    while [ "$count" -gt 0 ]; do
        if [ "$1" = -- ] && [ -n "$flag" ]; then
            set -- "$@" "$flag"
            flag=''
        fi
        set -- "$@" "$1"
        shift
        count=$((count - 1))
    done
    "$@" ${flag:+"$flag"}
}

holds() { grep -qF -e "$2" "$1" || wrong "$1 does not hold: $2"; }
lacks() { ! grep -qF -e "$2" "$1" || wrong "$1 holds: $2"; }
is() { [ "$1" = "$2" ] || wrong "it is '$1', not '$2'${3:+ ($3)}"; }

# until_true SECONDS COMMAND…
until_true() {
    tries=$(($1 * 50))
    shift
    until "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || wrong "never came true: $*"
        sleep 0.02
    done
}

# How many backups an environment has, and the newest one's folder.
backups() { find "$STORE/${1:-dev}" -mindepth 1 -maxdepth 1 -type d ! -name '.*' 2>/dev/null | wc -l | tr -d ' '; }
newest() {
    # Two of one second are told apart by when they were written, not by their names.
    # shellcheck disable=SC2012 # the names are ours
    newest=$(ls -td "$STORE/${1:-dev}"/*/ | head -n 1)
    echo "${newest%/}"
}

# config LINE…: holdfast.toml with these lines.
config() {
    printf '%s\n' "$@" >holdfast.toml
    chmod 600 holdfast.toml
}

# The backups that migrations have made.
migration_backups() { find "$STORE/migrations" -mindepth 1 -maxdepth 1 -type d ! -name '.*' 2>/dev/null | wc -l | tr -d ' '; }
# No run stands in the journal.
nothing_stands() {
    found=$(find "$HOLDFAST_STATE_DIR/journal" -type f 2>/dev/null || :)
    [ -z "$found" ] || wrong "a run stands in the journal: $found"
}
# told KEY: what the report of the last --report report.json says there, as text.
told() { jq -r "$1" report.json; }

# Neither half a backup nor a temporary file is there.
nothing_staged() {
    found=$(find "$STORE" -name '.staging*' -o -name '*.tmp' 2>/dev/null || :)
    [ -z "$found" ] || wrong "staging was left: $found"
    # A kill can leave a folder that nobody has put anything into yet.
    found=$(find "$TMPDIR" -mindepth 1 -maxdepth 1 -name 'holdfast-*' ! -empty)
    [ -z "$found" ] || wrong "scratch was left: $found"
}

# Ids of processes that this scenario's runs have started, by the state directory they were given.
running() {
    for folder in /proc/[0-9]*; do
        read -r comm 2>/dev/null <"$folder/comm" || continue
        case " $ENGINE_PROGRAMS backup-db restore-db backup-guard safe-migrate safe-db-test " in
            *" $comm "*) ;;
            *) continue ;;
        esac
        if grep -qzxF "HOLDFAST_STATE_DIR=$HOLDFAST_STATE_DIR" "$folder/environ" 2>/dev/null; then
            [ -z "${1:-}" ] || [ "$1" = "$comm" ] || continue
            echo "${folder#/proc/}"
        fi
    done
}
runs() { [ -n "$(running "${1:-}")" ]; }
none_runs() { ! runs "${1:-}"; }

# A seed that is printed, and numbers from it.
SEED=${SEED:-$((($(date +%s) + $$) % 2147483648))}
random_below() {
    SEED=$(((SEED * 1103515245 + 12345) % 2147483648))
    # shellcheck disable=SC2034 # the scenarios use it
    RANDOM_NUMBER=$((SEED / 65536 % $1))
}

# What the words of every engine build upon: sql_in DATABASE STATEMENT, make_database, ledger_sql, loading.
sql() { sql_in "$DB" "$1"; }
# make_ledger [ENTRIES [DATABASE]]: accounts and entries, some 100 bytes an entry.
make_ledger() {
    make_database "${2:-$DB}"
    sql_in "${2:-$DB}" "$(ledger_sql "${1:-1000}")"
}
rows_of() { sql "SELECT count(*) FROM $1"; }
rows_in() { sql_in "$1" "SELECT count(*) FROM $2"; }
drop_table() { sql "DROP TABLE $1"; }
empty_table() { sql "TRUNCATE $1"; }
add_column() { sql "ALTER TABLE $1 ADD COLUMN $2 integer"; }
set_mark() { sql "UPDATE mark SET word = '$1'"; }
mark() { sql "SELECT word FROM mark"; }
total_in() { sql_in "$1" "SELECT sum(cents) FROM account"; }
spread_in() { sql_in "$1" "SELECT sum(cents) FROM account WHERE id <= 50"; }
is_loading() { [ -n "$(loading)" ]; }
nothing_beside() {
    found=$(loading)
    [ -z "$found" ] || wrong "databases were left: $found"
}
# How many states are kept after restores that were killed: what one was about to keep it keeps with the swap, or not at all.
kept_after_kills() { kept_aside | wc -l; }
nobody_is_in() { ! somebody_is_in "$1"; }

# come_and_go NUMBER: a client that keeps coming back until `stop` is there, and counts how often it got in.
come_and_go() {
    while [ ! -e stop ]; do
        sql 'SELECT count(*) FROM account' >/dev/null 2>&1 && echo in || echo out
    done >>"visits.$1"
}

# fake PROGRAM: a program made of the script on stdin, found first by a configuration with $FAKES_LINE. In it,
# real ARGS… calls the real one.
fake() {
    # It may be a link to the real one, which is not to be written over.
    rm -f "fakes/$1"
    {
        echo '#!/bin/sh'
        echo "[ \"\$1\" != --version ] || exec '$SERVER_PROGRAMS/$1' --version"
        echo "HERE='$PWD'"
        echo "real() { '$SERVER_PROGRAMS/$1' \"\$@\"; }"
        cat
    } >"fakes/$1"
    chmod 755 "fakes/$1"
    [ -e "fakes/$CLIENT" ] || ln -s "$SERVER_PROGRAMS/$CLIENT" "fakes/$CLIENT"
}
unfake() { rm -f "fakes/$1"; }

# A dump program that, halfway through, makes `halfway` appear and goes on when `go` is there.
fake_dump_that_pauses() {
    rm -f halfway go
    fake "$DUMP_PROGRAM" <<'END'
pipe=$HERE/pipe.$$
mkfifo "$pipe"
{ head -c 20000; : >"$HERE/halfway"; until [ -e "$HERE/go" ]; do sleep 0.02; done; cat; } <"$pipe" &
status=0
real "$@" >"$pipe" || status=$?
wait
rm -f "$pipe"
exit $status
END
}

# make_program NAME SHELL: ./NAME, a program in which these words are known.
make_program() {
    # shellcheck disable=SC2016,SC2153 # it is written; STORY is given
    printf '#!/bin/sh\nSTORY=%s WORDS=%s\n. "$WORDS"\n%s\n' "'$STORY'" "'$WORDS'" "$2" >"$1"
    chmod 755 "$1"
}
