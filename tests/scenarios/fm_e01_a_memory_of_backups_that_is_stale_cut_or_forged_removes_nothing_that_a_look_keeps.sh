#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"
# Of more than five hundred backups it is remembered what was seen of each.
config 'min_verified = 1' '[env.dev]' 'database = "app.db"' '[env.dev.retention]' 'keep_last = 510'
ledger app.db 5
expect 0 backup-db -e dev
newest=$(made)
python3 "$SCENARIOS/../../scripts/bench/many.py" backups dev 520
is "$(count)" 520 "backups"
sleep 4 # what has just changed is never remembered
expect 0 backup-catalog prune -e dev -n --json
is "$(value '.plan.lines | map(select(.verdict == "remove")) | length')" 10 "what would go"
seen=$(echo "$HOLDFAST_STATE_DIR"/cache/seen-*)
[ -s "$seen" ] || wrong "nothing is remembered"
cp "$seen" whole

# A file that is cut in place changes nothing that is remembered, and is seen: the one before it counts in its stead.
truncate -s 10 "backups/dev/$newest/database.sqlite.gz"
expect 0 backup-catalog prune -e dev -n --json
is "$(value '.plan.lines | map(select(.verdict == "remove")) | length')" 9 "what would go after a cut"

# Cut, of nonsense, or of another version: as if there were none.
for harm in 'truncate -s 2000' 'truncate -s 0' 'sed -i s/^HFSEEN02/HFSEEN99/' 'sed -i s/structure/quick/'; do
    cp whole "$seen"
    $harm "$seen"
    expect 0 backup-catalog prune -e dev -n --json
    is "$(value '.plan.lines | map(select(.verdict == "remove")) | length')" 9 "what would go after $harm"
done
head -c 50000 /dev/urandom >"$seen"
expect 0 backup-catalog prune -e dev -n --json
is "$(value '.plan.lines | map(select(.verdict == "remove")) | length')" 9 "what would go after nonsense"

# Forged so that the oldest are the newest: it is shown, and a run goes by what there is.
cp whole "$seen"
python3 - "$seen" <<'EOF'
import struct, sys, zlib
path = sys.argv[1]
data = open(path, "rb").read()
at, records = 8, []
while at < len(data):
    (length,) = struct.unpack_from("<I", data, at)
    records.append(bytearray(data[at + 8 : at + 8 + length]))
    at += 8 + length
# What retention asks of each is said of its mirror image, but for the id.
parts = []
for record in records:
    at = record.rindex(b"\x03dev")
    parts.append((bytes(record[:at]), bytes(record[at:])))
with open(path, "wb") as out:
    out.write(data[:8])
    for (head, _), (_, tail) in zip(parts, reversed(parts)):
        out.write(struct.pack("<II", len(head + tail), zlib.crc32(head + tail)) + head + tail)
EOF
expect 0 backup-catalog prune -e dev -n --json
value '.plan.lines[] | select(.verdict == "remove") | .id' | sort >shown
cp "$seen" forged
rm "$seen"
expect 0 backup-catalog prune -e dev -n --json
value '.plan.lines[] | select(.verdict == "remove") | .id' | sort >true
! cmp -s shown true || wrong "the forged memory shows the true plan: that proves nothing"
cp forged "$seen"
backups | sort >before
expect 0 backup-catalog prune -e dev --json
backups | sort >after
comm -23 before after >gone
cmp gone true || wrong "what went is not what a look at each lets go"
nothing_left
