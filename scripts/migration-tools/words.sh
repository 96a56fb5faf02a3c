# What all tools share. A tool's own script says how it makes its migrations and runs them; an engine's words ($WORDS, which
# reads this) where the database is and what is in it.
# shellcheck shell=sh

# shows STATUS COMMAND…: prints a command and what it says, and insists on its status.
shows() {
    wanted=$1
    shift
    printf '$ %s\n' "$*"
    got=0
    "$@" >out 2>&1 </dev/null || got=$?
    # A trace of a program's own insides says nothing here.
    sed '/^Traceback/,/^[A-Za-z_.]*Error\b/{/^[A-Za-z_.]*Error\b/!d;}' out | cut -c 1-200 | sed 's/^/    /'
    printf '    (status %s)\n' "$got"
    [ "$got" = "$wanted" ] || wrong "$*: status $got, not $wanted"
    mv out shown
}
# same: the whole database is what it was when `now` was last said.
now() { picture >picture.before; }
same() {
    picture >picture.after
    cmp -s picture.before picture.after || { diff picture.before picture.after | head -n 20 >&2 && wrong "the database is not what it was: $1"; }
}
has() { grep -qF -e "$1" shown || wrong "it does not say: $1"; }

# play FAILS COMMAND…: the migrations of a tool, whose own status is FAILS where one of them fails. The tool's script has
# project, good, failing, lossy (each makes one migration) and forget (takes the last one back).
play() {
    fails=$1
    shift
    project
    "$@" >out 2>&1 || wrong "the first migration, without Holdfast"
    config '[env.dev]' "database = \"$SOURCE\""
    is "$(ask 'SELECT count(*) FROM customer') $(ask 'SELECT count(*) FROM invoice')" '100 1000'

    echo "-- a good migration, rehearsed first"
    good
    shows 0 safe-migrate -e dev --rehearse -- "$@"
    has 'on the clone'
    is "$(ask "SELECT count(*) FROM customer WHERE rating = 3")" 100
    is "$(ask 'SELECT count(*) FROM invoice')" 1000
    now
    shows 0 safe-migrate -v -e dev -- "$@"
    same "there was nothing to migrate"

    echo "-- one that fails halfway"
    failing
    shows "$fails" safe-migrate -e dev -- "$@"
    has 'rolled back'
    same "a failing migration was rolled back"
    shows "$fails" safe-migrate -e dev --rehearse -- "$@"
    has 'the real database was not touched'
    same "a failing migration was rehearsed"
    forget

    echo "-- one that loses ten rows"
    lossy
    shows 123 safe-migrate -e dev -- "$@"
    has 'invoice has lost 10 rows'
    same "a lossy migration was rolled back"
    shows 123 safe-migrate -e dev --rehearse -- "$@"
    same "a lossy migration was rehearsed"
    shows 0 safe-migrate -e dev --allow-loss invoice=10 -- "$@"
    is "$(ask 'SELECT count(*) FROM invoice')" 990
    nothing_stands
    nothing_staged
}
