# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
# engines: postgres mariadb; no client stands between us and a file
. "$WORDS"
make_ledger
config "$FAKES_LINE" '[env.dev]' "database = \"$URL\""
expect 0 backup-db
set_mark live
expect 0 restore-db latest
is "$(mark)" first

# The client kills whoever started it with the first words after the statement that moves everything.
fake "$CLIENT" <<'INNER'
case " $* " in *" --execute="* | *" -c "* | *" -f "*) real "$@"; exit ;; esac
while IFS= read -r line; do
    case $line in
        \; | "SELECT 'holdfast-"* | '\echo '*) ;;
        *) [ ! -e "$HERE/moved" ] || { kill -KILL "$(cat "$HERE/run")"; exit 1; } ;;
    esac
    case $line in "RENAME TABLE "* | COMMIT*) : >"$HERE/moved" ;; esac
    printf '%s\n' "$line"
done | real "$@"
INNER
status=0
# shellcheck disable=SC2016 # the inner shell's words
sh -c 'echo $$ >run; exec restore-db --undo' >out 2>err </dev/null || status=$?
is "$status" 137
[ -e moved ] || wrong "the undo was killed before anything had moved"
unfake "$CLIENT"
ln -s "$SERVER_PROGRAMS/$CLIENT" "fakes/$CLIENT"
until_true 5 none_runs

# What it had put back stays, what it had kept aside comes back, and so on.
expect 0 restore-db --undo
is "$(mark)" first
expect 0 restore-db --undo
is "$(mark)" live
nothing_beside
is "$(kept_aside | wc -l)" 1
