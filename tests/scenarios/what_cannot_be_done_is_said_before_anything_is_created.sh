#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

# A source that is not there creates no store.
expect 1 backup-db nosuch.db
says 'nothing was created'
[ ! -e backups ] || wrong 'a store was created for a database that is not there'
expect 1 backup-full --database nosuch.db
[ ! -e backups ] || wrong 'a store was created for a database that is not there'
expect 2 backup-full
[ ! -e backups ] || wrong 'a store was created for nothing'

# A dry run fails at what the real run fails at.
ledger app.db 20
mkdir media
for run in 'backup-full media' 'backup-db app.db'; do
    # shellcheck disable=SC2086 # words
    expect 1 $run --store gone/backups -n
    says 'the folder above it does not exist'
    # shellcheck disable=SC2086
    expect 0 $run --store gone/backups --new-store -n
    [ ! -e gone ] || wrong 'a dry run created a folder'
    # One word, wherever it is given.
    for tag in 'two words' 'a,b' ''; do
        # shellcheck disable=SC2086
        expect 2 $run --tag "$tag"
        says 'is no tag'
    done
done
[ ! -e backups ] || wrong 'a store was created for a wrong tag'

# Passwords are told of files that are there.
config '[env.dev]' 'database = "app.db"' 'config_files = ["app.conf", "gone.env"]'
echo secret >app.conf
expect 7 backup-full
says 'app.conf are in the backup as they are'
lacks "$ERR" 'gone.env are in the backup'

# What reads a store is told nothing of making one.
rm holdfast.toml
mv backups/holdfast.json .
expect 3 backup-guard
lacks "$ERR" '--new-store'
expect 3 restore-db latest --to sqlite:back.db
lacks "$ERR" '--new-store'
expect 4 backup-db app.db
says '--new-store'
mv holdfast.json backups

# Of safety backups without files nothing is said where files are wanted.
config '[env.dev]' 'database = "app.db"'
expect 0 backup-db
add_row app.db
expect 0 restore-db latest
rm -r backups/dev/*-full-*
expect 3 restore-db latest --files-to out
says "there is no verified backup of dev in $PWD/backups that holds files"
lacks "$ERR" 'safety'
