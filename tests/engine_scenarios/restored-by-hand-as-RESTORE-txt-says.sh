# shellcheck shell=sh source=tests/engine_scenarios/words/postgres.sh
# engines: postgres mariadb; by hand a file is moved; as_restore_txt_says_everything_comes_back… does that
. "$WORDS"
make_ledger
before=$(picture)
for compression in gzip zstd none; do
    set_mark first
    expect 0 backup-db "$URL" --compression "$compression"
    folder=$(newest)
    # Every indented line is a command; each must go well, save that the roles of this server exist already.
    grep '^    ' "$folder/RESTORE.txt" >commands
    [ "$(wc -l <commands)" -ge "$COMMANDS_BY_HAND" ] || wrong "there are too few commands: $(cat commands)"
    set_mark damaged
    while read -r command; do
        case $command in *globals*psql*) continue ;; esac
        expect 0 client sh -c "cd '$folder' && $(by_hand "$command")"
    done <commands
    [ "$(picture "$(restored_by_hand)")" = "$before" ] || wrong "by hand, $compression, it is not what was backed up"
    is "$(sql_in "$(damaged_by_hand)" 'SELECT word FROM mark')" damaged
    drop_database "$(dropped_by_hand)"
done
