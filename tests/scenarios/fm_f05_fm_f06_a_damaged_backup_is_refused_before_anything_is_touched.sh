#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

config '[env.dev]' 'database = "app.db"'
ledger app.db 20
expect 0 backup-db -e dev
bad=$(made)
file=$(backup)/database.sqlite.gz
size=$(wc -c <"$file")
cp "$file" whole
add_row app.db
before=$(hash_of app.db)
verdict() { restore-db --list --json | jq -r --arg id "$bad" '.backups[] | select(.id == $id) | .verdict'; }
is "$(verdict)" verified 'what the list says of a whole one'
for offset in 0 3 4 9 12 $((size / 2)) $((size - 9)) $((size - 1)); do
    cp whole "$file"
    byte=$(dd if=whole bs=1 skip="$offset" count=1 2>/dev/null | od -An -tu1 | tr -d ' ')
    # shellcheck disable=SC2059 # the format is the byte
    printf "\\$(printf '%03o' $(((byte + 1) % 256)))" | dd of="$file" bs=1 seek="$offset" conv=notrunc 2>/dev/null
    expect 3 restore-db -e dev "$bad"
    is "$(verdict)" damaged "what the list says with byte $offset changed"
    is "$(hash_of app.db)" "$before" "the target with byte $offset changed"
    is "$(find . -maxdepth 1 -name 'app.db*' | wc -l | tr -d ' ')" 1 "files beside the target"
    is "$(count)" 1 "backups: no safety backup was made for nothing"
    nothing_left
    expect 3 backup-guard -e dev "$bad"
    rm backups/checks/*
done
# Where there is another, it is named by the list, and latest does not hide the damage.
cp whole "$file"
all_verify -q -e dev
# What is wrong with a copy that lies elsewhere is not noted down of the backup.
cp -r "backups/dev/$bad" copy
printf X | dd of=copy/database.sqlite.gz bs=1 seek=40 conv=notrunc 2>/dev/null
expect 3 restore-db -e dev ./copy
expect 3 backup-guard -e dev ./copy
is "$(verdict)" verified 'what the list says of a backup of which a copy is damaged'
