#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

ledger app.db 1
made_at() {
    expect 0 at "$1" backup-db app.db
    add_row app.db
}
made_at 2020-11-01T12:00:00Z
first=$(made)
folder=$(backup)
made_at 2020-11-02T12:00:00Z
made_at 2020-11-02T13:30:00Z
third=$(made)
# look STATUS ROWS SELECTOR…
look() {
    rm -f look.db
    wanted_rows=$2
    expect "$1" restore-db --to sqlite:look.db "$3" ${4:+"$4"}
    if [ "$1" = 0 ]; then has_rows look.db "$wanted_rows"; else [ ! -e look.db ] || wrong "look.db was made"; fi
}
look 0 3 latest
look 0 1 "$first"
look 0 1 20201101
look 2 - 20201102
says 'write more of the id'
look 0 3 "${third%?}"
look 0 1 "$folder"
look 0 1 "./backups/dev/$first"
look 3 - 20270101
look 3 - ./nowhere
says 'there is no backup at ./nowhere'
says 'restore-db --list'
look 3 - ./app.db
says '--file ./app.db'
expect 3 restore-db --store backups 20270101
says 'hint: restore-db --store backups --list'
look 2 - '*'
look 2 - ''
look 2 - "a b"
look 0 1 --at 2020-11-02T11:59:59Z
look 0 2 --at 2020-11-02T12:00Z
look 0 2 --at '2020-11-02 13:00'
look 0 2 --at 2020-11-02T14:00+01:00
look 0 3 --at 2020-11-02
look 3 - --at 2020-10-31
look 2 - --at yesterday
expect 2 restore-db latest --at 2020-11-02
expect 2 restore-db
expect 2 restore-db latest --undo
# latest is never a safety backup, but its id can be chosen.
expect 0 restore-db "$first"
has_rows app.db 1
look 0 3 latest
safety=$(restore-db --list --json | jq -r '.backups[] | select(.kind == "safety") | .id')
look 0 4 "$safety"
nothing_left
# What is newer and not chosen is named, with the reason: one that cannot be read, and one that this very run finds damaged.
look 0 3 latest
lacks "$ERR" 'passed over'
expect 0 backup-db app.db
fourth=$(made)
mv "backups/dev/$fourth/manifest.json" manifest
look 0 3 latest
says "$fourth is newer and is passed over: "
look 0 2 --at 2020-11-02T13:00Z
lacks "$ERR" 'passed over'
mv manifest "backups/dev/$fourth/manifest.json"
printf X | dd of="backups/dev/$fourth/database.sqlite.gz" bs=1 seek=40 conv=notrunc 2>/dev/null
look 3 - latest
look 0 3 latest
says "$fourth is newer and is passed over: a check at"
