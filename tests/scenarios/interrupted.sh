# What can be said after a run of safe-migrate or safe-db-test --in-place was killed, whenever that was. The database is app.db; $before
# is what it held before the run, and $after what it holds once its command has done all it had to do.
# shellcheck shell=sh disable=SC2154 # before, after are the caller's

# truthful TOOL KEEPS WHAT: what the next run says is so, and the way back leads back. KEEPS says whether a command that succeeded counts.
truthful() {
    tool=$1
    keeps=$2
    what=$3
    # What a killed watcher's command still does is waited for: nobody touches the database meanwhile.
    tries=0
    while :; do
        run "$tool" -e dev -- true
        grep -q 'is still running on' "$ERR" || break
        is "$STATUS" 125 "$what: status while the command runs"
        tries=$((tries + 1))
        [ "$tries" -lt 200 ] || wrong "$what: the command does not end"
        sleep 0.05
    done
    found=$(content app.db)
    case $STATUS in
        0)
            # Nothing stands: either nothing was done yet, or all of it was brought to its end.
            [ "$found" = "$before" ] || { [ "$keeps" = yes ] && [ "$found" = "$after" ]; } || wrong "$what: nobody tells of what is there"
            STOOD=no
            ;;
        125)
            says "an interrupted $tool stands on sqlite:$PWD/app.db"
            if [ "$found" = "$before" ]; then
                says 'the database is exactly as it was before'
            else
                says 'since then: '
            fi
            says "$tool -e dev --resume"
            # A backup of such a state is one of what the command has done so far, and says so.
            expect 0 backup-db -e dev -n
            prints "a run of $tool stands on it"
            STOOD=yes
            ;;
        *) wrong "$what: status $STATUS of the next run" ;;
    esac
    [ "$STOOD" = yes ] || return 0
    # Whoever asks for a plan gets the same answer.
    expect 125 "$tool" -e dev -n -- true
    if [ "$(random 4)" = 0 ]; then
        expect 0 "$tool" -e dev --abandon
        is "$(content app.db)" "$found" "$what: what an abandoned run leaves"
        STOOD=abandoned
    else
        expect 0 "$tool" -v -e dev --resume
        case $(sed -n 's/^resume  *//p' "$ERR") in
            'nothing is to be brought back') is "$found" "$before" "$what: what was there" ;;
            'the state of '*' is brought back, and the present one kept aside') 
                is "$(content app.db)" "$before" "$what: what a resumed run brings back"
                ;;
            'the command had succeeded: '*)
                is "$keeps" yes "$what: whether a success is kept"
                is "$(content app.db)" "$after" "$what: what a resumed run keeps"
                ;;
            *) wrong "$what: --resume does not say what it does" ;;
        esac
    fi
    nothing_stands
}
