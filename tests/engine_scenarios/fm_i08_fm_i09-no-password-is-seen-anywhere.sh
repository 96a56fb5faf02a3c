# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
# engines: postgres mariadb; SQLite knows no passwords
. "$WORDS"
canary=canary-$(date +%s)x$$
make_ledger 20000
make_user "keeper_$DB" "$canary"
echo "$canary" >keeper.password
chmod 600 keeper.password
plain=$(url "$DB" "keeper_$DB")
config '[env.prod]' "database = \"$plain\"" 'password_file = "keeper.password"' 'verify = "restore"'

# Every argument list of the machine, as long as the runs take.
(while [ ! -e enough ]; do cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' '\n' || :; done >>seen) &
watcher=$!
expect 0 backup-db -v -e prod
cat out err >>said
expect 0 restore-db -v -e prod latest
cat out err >>said
expect 0 restore-db -v -e prod --undo
cat out err >>said
expect 0 backup-guard -v --json -e prod --verify exact
cat out err >>said
# Wrong passwords, and one inside a URL.
echo "$canary-wrong" >keeper.password
for command in 'backup-db -v' 'restore-db -v latest' 'restore-db -v --undo'; do
    # shellcheck disable=SC2086 # the words of the command
    expect 1 $command -e prod
    cat out err >>said
done
expect 0 backup-db -v -e prod --store other "$(url_with_password "keeper_$DB" "$canary")"
cat out err >>said
expect 6 backup-db -v -e prod --store other "$(url_with_password "keeper_$DB" "$canary" hots)"
cat out err >>said
: >enough
wait "$watcher"

# The URL of a command line is the user's own doing; no program that we started may repeat it.
grep -vF "//keeper_$DB:$canary@" seen >seen.children
holds seen "$DUMP_ARGUMENT"
holds said "$DB"
for place in said seen.children state backups other; do
    found=$(grep -rlF -e "$canary" "$place" || :)
    [ -z "$found" ] || wrong "the password is in $found: $(grep -rhF -e "$canary" "$place" | head -n 3)"
done
