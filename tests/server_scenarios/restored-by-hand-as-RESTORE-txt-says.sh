# shellcheck shell=sh source=tests/server_scenarios/words/postgres.sh
. "$WORDS"
make_ledger
before=$(picture)
for compression in gzip zstd none; do
    expect 0 backup-db "$URL" --compression "$compression"
    folder=$(newest)
    # Every indented line is a command; each must go well, save that the roles of this server exist already.
    grep '^    ' "$folder/RESTORE.txt" >commands
    [ "$(wc -l <commands)" -ge 6 ] || wrong "there are too few commands: $(cat commands)"
    set_mark damaged
    while read -r command; do
        case $command in *globals*psql*) continue ;; esac
        expect 0 client sh -c "cd '$folder' && $command"
    done <commands
    [ "$(picture)" = "$before" ] || wrong "by hand, $compression, it is not what was backed up"
    is "$(sql_in "${DB}_before" 'SELECT word FROM mark')" damaged
    drop_database "${DB}_before"
done
