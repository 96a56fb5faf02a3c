#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

mkdir -p project/db project/src/deep elsewhere home/.config/holdfast
ledger project/db/app.db 5
cd project
config 'store = "../kept"' '[env.dev]' 'database = "sqlite:db/app.db"'
cd src/deep
expect 0 backup-db
cd "$SAID/work/elsewhere"
expect 0 backup-db -c ../project/holdfast.toml
expect 0 env HOLDFAST_CONFIG=../project/holdfast.toml backup-db -e dev
cp ../project/holdfast.toml ../home/.config/holdfast/holdfast.toml
sed -i "s|db/app.db|$SAID/work/project/db/app.db|; s|../kept|$SAID/work/kept|" ../home/.config/holdfast/holdfast.toml
expect 0 env HOME="$SAID/work/home" backup-db -e dev
expect 0 env XDG_CONFIG_HOME="$SAID/work/home/.config" backup-db -e dev
cd ..
is "$(count dev kept)" 5 "backups in the one store"
is "$(find . -name backups)" "" "stores that were made elsewhere"
# What the command line says wins over a variable, and that over the file.
expect 0 env HOLDFAST_STORE=by-variable backup-db -c project/holdfast.toml
is "$(count dev by-variable)" 1 "backups in the variable's store"
expect 0 env HOLDFAST_STORE=by-variable backup-db -c project/holdfast.toml --store by-flag
is "$(count dev by-flag)" 1 "backups in the flag's store"
expect 0 env HOLDFAST_ENV=test HOLDFAST_STORE=by-variable backup-db project/db/app.db
is "$(count test by-variable)" 1 "backups of the variable's environment"
