#!/bin/sh
# shellcheck disable=SC2016,SC2086 # what another shell expands; words
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

config '[env.dev]' 'database = "dev.db"' '[env.prod]' 'database = "prod.db"' 'protected = true' '[env.mixed-up]' 'database = "prod.db"'
for name in dev prod; do
    ledger $name.db 10
    expect 0 backup-guard mark-env $name
done
before=$(hash_of prod.db)$(hash_of dev.db)
refused() {
    [ ! -e ran ] || wrong "the command ran"
    is "$(hash_of prod.db)$(hash_of dev.db)" "$before" "the databases"
    is "$(ls backups/dev backups/prod backups/migrations backups/mixed-up 2>/dev/null || :)" '' "backups"
    nothing_stands
    nothing_left
}
destroy='touch ran; sqlite3 prod.db "DELETE FROM entry"; sqlite3 dev.db "DELETE FROM entry"'
for tool in safe-migrate safe-db-test 'safe-db-test --in-place'; do
    # The flag and the database do not belong together, whichever of them is wrong.
    for flags in '-e mixed-up' '-e dev prod.db' "-e dev sqlite:$PWD/prod.db"; do
        # shellcheck disable=SC2086 # they are words
        expect 125 $tool $flags -- sh -c "$destroy"
        says "was meant, but the database sqlite:$PWD/prod.db says that it is prod"
        refused
        # shellcheck disable=SC2086 # they are words
        expect 125 $tool $flags -n -- sh -c "$destroy"
        says 'says that it is prod'
        refused
    done
    # A database that is exported in the shell is not what is worked on: the environment is.
    DATABASE_URL="sqlite:///$PWD/prod.db" expect 125 $tool -e nowhere -- sh -c "$destroy"
    refused
    # Of several environments one has to be named.
    expect 125 $tool -- sh -c "$destroy"
    says 'dev, mixed-up, prod'
    refused
done
# A clone that somebody put in the place of the real one.
cp dev.db real.db
sqlite3 dev.db "UPDATE holdfast_marker SET role = 'clone'"
before=$(hash_of prod.db)$(hash_of dev.db)
expect 125 safe-migrate -e dev -- sh -c "$destroy"
says 'says that it is a clone of dev'
refused
cp real.db dev.db
# What is exported reaches the command as it is, and what it does to another database is seen by nobody; but tests are led away from their own.
expect 0 env DATABASE_URL="sqlite:///$PWD/dev.db" safe-db-test -e dev -- sh -c 'sqlite3 "${DATABASE_URL#sqlite:///}" "DELETE FROM entry"'
has_rows dev.db 10
# A command that puts another database in its place, marker and all: what comes back is all of the old one.
expect 123 safe-migrate -e dev -- sh -c 'sqlite3 prod.db "INSERT INTO entry (cents) VALUES (1)"; cp prod.db dev.db; sqlite3 dev.db "DELETE FROM entry WHERE id < 3"'
is "$(sqlite3 dev.db 'SELECT environment, role FROM holdfast_marker')" 'dev|real' "what the database says of itself"
expect 3 safe-migrate -e dev -- sh -c 'sqlite3 dev.db "DROP TABLE holdfast_marker; DELETE FROM entry"; exit 3'
is "$(sqlite3 dev.db 'SELECT environment, role FROM holdfast_marker')" 'dev|real' "what the database says of itself"
# Its own table is nobody's row, and yet the next run goes by it.
expect 123 safe-migrate -e dev -- sqlite3 dev.db 'DROP TABLE holdfast_marker'
says 'does not say any more that it is dev'
expect 0 safe-migrate -e dev -- true
nothing_stands
nothing_left
