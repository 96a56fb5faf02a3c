#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

config '[env.dev]' 'database = "app.db"' 'type = "auto"' 'full_every = "7d"'
ledger app.db 500
# made_type TIME: a backup at that time; prints its type.
made_type() {
    add_row app.db
    expect 0 at "$1" backup-db -e dev
    jq -r .type "$(backup)/manifest.json"
}
is "$(made_type 2030-01-01T12:00:00Z)" full "the type of the first, under a clock of the future"
# The clock is right again. How old that full is cannot be told, so it is no base for years to come.
is "$(made_type 2020-11-10T12:00:00Z)" full "the type of the next"
# Each later one bears a time in the future as well, which keeps the order; its age is that of its check.
is "$(made_type 2020-11-11T12:00:00Z)" incremental "the type a day later"
is "$(made_type 2020-11-16T12:00:00Z)" incremental "the type six days later"
is "$(made_type 2020-11-17T12:00:01Z)" full "the type a week later"
is "$(made_type 2020-11-18T12:00:00Z)" incremental "the type a day after that"
expect 0 at 2020-11-18T13:00:00Z restore-db -e dev latest --to sqlite:look.db
has_rows look.db 506
nothing_left
