#!/bin/sh
# shellcheck disable=SC2015,SC3045 # both end it; every sh that runs this knows it
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

config '[env.dev]' 'database = "app.db"'
ledger app.db 10
mkdir deep
# Everything that a program can see of how it was started.
cat >probe <<'END'
#!/bin/sh
echo "input $(cat)"
echo "arguments $#:$*"
echo "folder $(pwd)"
echo "umask $(umask)"
echo "descriptors $(ls /proc/self/fd | tr '\n' ' ')"
echo "limit $(ulimit -Hc) $(ulimit -Sc) $(ulimit -n)"
echo "group $(cut -d' ' -f5 /proc/self/stat | sed "s/^$(cut -d' ' -f5 /proc/$PPID/stat)$/of whoever started me/")"
trap | sed 's/^/trap /'
grep -a Sig /proc/self/status | grep -v SigQ
env | grep -v -e '^HOLDFAST_RUN=' -e '^_=' | sort
echo "to stderr" >&2
END
chmod 755 probe
cd deep
# 7 is a descriptor that the command inherits; SIGUSR1 is ignored, as below nohup.
start() {
    (
        umask 027
        trap '' USR1
        ulimit -Sc 0
        export WORD='a  b' EMPTY=
        printf 'first line\nno newline' | "$@" ../probe -e '*' 'two words' '' -- --json 7>&1
    )
}
start >../directly.out 2>../directly.err
start safe-migrate -q -e dev -- >../wrapped.out 2>../wrapped.err
start safe-db-test -q -e dev --in-place -- >../in-place.out 2>../in-place.err
cd ..
for way in wrapped in-place; do
    cmp directly.out $way.out || wrong "$(diff directly.out $way.out)"
    cmp directly.err $way.err || wrong "$(diff directly.err $way.err)"
done
grep -q 'two words' directly.out && grep -q '^umask 0027' directly.out && grep -q '^input first line' directly.out || wrong "the probe saw nothing"

# A clone is all that is different for tests: the variables that lead there.
cd deep
start safe-db-test -q -e dev -- >../clone.out 2>../clone.err
cd ..
grep -v -e '^DATABASE_URL=' -e '^SQLITE_' clone.out >without.out
cmp directly.out without.out || wrong "$(diff directly.out without.out)"
cmp directly.err clone.err
is "$(grep -c -e '^DATABASE_URL=' -e '^SQLITE_' clone.out)" 4 "variables that lead to the clone"

# What it writes is its own, byte for byte; and so is where it goes.
head -c 3000000 /dev/urandom >noise
safe-migrate -e dev -- cat <noise >heard
cmp noise heard
safe-migrate -q -e dev -- cat noise 2>broken-pipe | head -c 5 >five
head -c 5 noise | cmp - five
nothing_stands
nothing_left
has_rows app.db 10
