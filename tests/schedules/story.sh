# What the stories of this folder share. Each runs in an empty folder of its own, with $REPO, $BINARIES and $HOME set,
# and stand-ins for the scheduler's programs first on PATH.
# shellcheck shell=sh
set -eu

FAKES=$PWD/fakes
export FAKES
mkdir -p "$FAKES" "$HOME/.config/holdfast"
: >"$HOME/.config/holdfast/holdfast.toml"
: >"$FAKES/calls"

wrong() {
    echo "wrong: $1" >&2
    for file in out err; do [ ! -e "$file" ] || sed "s/^/  $file: /" "$file" >&2; done
    exit 1
}

# expect STATUS ARGS…: runs install-schedule and keeps what it printed in `out` and `err`.
expect() {
    wanted=$1
    shift
    got=0
    "$REPO/scripts/install-schedule" "$@" --bin-dir "$BINARIES" >out 2>err </dev/null || got=$?
    [ "$got" = "$wanted" ] || wrong "install-schedule $*: status $got, not $wanted"
}

holds() { grep -qF -e "$2" "$1" || wrong "$1 does not hold: $2"; }
lacks() { ! grep -qF -e "$2" "$1" || wrong "$1 holds: $2"; }
same() { cmp -s "$1" "$2" || wrong "$1 and $2 differ: $(diff "$1" "$2" || :)"; }
# Everything below the home and the stand-ins' state, with contents, to compare before and after.
snapshot() { find "$HOME" "$FAKES" -type f ! -name calls -exec cksum {} + | sort -k3; }
