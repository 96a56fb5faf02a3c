#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

# 300 MB, of which most is a hole, in less address space than would hold them and what reading them takes.
truncate -s 300M huge
for place in 0 100 299; do head -c 100000 /dev/urandom | dd of=huge bs=1M seek=$place conv=notrunc 2>/dev/null; done
sum=$(hash_of huge)
# shellcheck disable=SC3045 # dash has it
bounded() { (ulimit -v 300000 && exec "$@"); }
expect 0 bounded file-versions save huge -m huge
expect 0 bounded file-versions diff huge
prints_nothing
echo 1 >>huge
expect 0 bounded file-versions diff huge
prints 'too large for lines'
expect 0 bounded file-versions restore huge --to back
is "$(hash_of back)" "$sum" 'what came back'
is "$(file-versions cat huge | sha256sum | cut -d' ' -f1)" "$sum" 'what cat prints'
# A reader that goes away is no error.
file-versions cat huge | head -c 10 >/dev/null
expect 2 file-versions cat huge --json
