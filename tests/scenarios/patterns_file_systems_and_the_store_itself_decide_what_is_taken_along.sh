#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

paths() { gunzip -c "$(backup)/files.inventory.jsonl.gz" | jq -r .path | grep -v '/$' | tr '\n' ' '; }
mkdir -p app/cache app/photos app/backups
echo 1 >app/a.txt
echo 2 >app/b.tmp
echo 3 >app/cache/c.txt
echo 4 >app/photos/d.jpg
mkfifo app/fifo
ledger app/app.db 3
ln -s app.db app/same.db
: >app/app.db-wal
config 'exclude = ["*.tmp"]' '[env.dev]' 'database = "app/app.db"' 'files = ["app"]' 'exclude = ["app/cache/**"]' 'store = "app/backups"'
expect 0 backup-full
is "$(paths)" 'app app/a.txt app/cache app/photos app/photos/d.jpg app/same.db ' 'what is in it'
says 'app/backups is left out: it is the store itself'
says 'app/app.db is left out: it is the database'
says 'app/app.db-wal is left out: it is the database'
says 'app/fifo is left out: it is a fifo'
is "$(jq .components[1].files.left_out_count "$(backup)/manifest.json")" 4 'what was left out'
expect 0 backup-full -q --exclude photos --exclude 'app/a.*'
is "$(paths)" 'app app/cache app/same.db ' 'with patterns of the command line'
says_nothing
expect 0 backup-full --include '*.jpg' --include '*.tmp'
is "$(paths)" 'app app/cache app/photos app/photos/d.jpg ' 'only what is included'
expect 6 backup-full --exclude '['
says 'is no pattern'
expect 6 backup-full --exclude /etc
# A folder in another would be stored twice.
expect 6 backup-full app app/photos
says 'is in'

# Another file system below a folder.
if [ "$(id -u)" = 0 ] && mount -t tmpfs none app/cache 2>/dev/null; then
    echo 5 >app/cache/mounted
    expect 0 backup-full app/photos app/cache
    is "$(paths)" 'cache cache/mounted photos photos/d.jpg ' 'a file system that is named itself'
    config '[env.dev]' 'files = ["app"]' 'store = "app/backups"' 'exclude = ["*.db*", "*.tmp"]'
    expect 0 backup-full
    says 'app/cache is left out: what is in it is another file system'
    is "$(paths)" 'app app/a.txt app/cache app/photos app/photos/d.jpg ' 'one file system'
    expect 0 backup-full --cross-file-systems
    is "$(paths)" 'app app/a.txt app/cache app/cache/mounted app/photos app/photos/d.jpg ' 'all file systems'
    config '[env.dev]' 'files = ["app"]' 'store = "app/backups"' 'exclude = ["*.db*", "*.tmp"]' 'one_file_system = false'
    expect 0 backup-full
    is "$(paths)" 'app app/a.txt app/cache app/cache/mounted app/photos app/photos/d.jpg ' 'all file systems by the configuration'
    umount app/cache
fi
