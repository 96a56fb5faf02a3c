#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

# Seven days, of which each changes a little: the fourth is a differential, and the full is due again on the eighth.
big_ledger app.db 3
sqlite3 app.db 'WITH RECURSIVE n(i) AS (SELECT 11 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) INSERT INTO entry SELECT i, i * 7 FROM n'
cp app.db begin.db
for method in gzip zstd none; do
    rm -rf backups "$HOLDFAST_STATE_DIR" state-*.db
    cp begin.db app.db
    config "compression = \"$method\"" 'type = "auto"' '[env.dev]' 'database = "app.db"'
    for day in 1 2 3 4 5 6 7 8; do
        type=auto
        [ "$day" != 4 ] || type=differential
        expect 0 at "2026-01-0${day}T03:00:00Z" backup-db -e dev --type "$type" --json
        folder=$(jq -r .folder "$OUT")
        cp app.db "state-$(basename "$folder").db"
        wanted=incremental
        case $day in 1 | 8) wanted=full ;; 4) wanted=differential ;; esac
        is "$(jq -r .manifest.type "$OUT")" "$wanted" "$method, day $day: type"
        case $wanted in
            full)
                full=$(jq -r .id "$OUT")
                full_bytes=$(jq .manifest.components[0].stored_bytes "$OUT")
                [ ! -e "$folder/recover.py" ] || wrong "a full needs no program"
                ;;
            *)
                is "$(jq -r '.manifest.components[0].sources[0].id' "$OUT")" "$full" "$method, day $day: the first source"
                is "$(jq -r .manifest.components[0].file "$OUT")" database.sqlite.delta "$method, day $day: the file"
                bytes=$(jq .manifest.components[0].stored_bytes "$OUT")
                # Uncompressed, whole pages; else hardly more than what has changed.
                [ "$bytes" -lt $((full_bytes / 4)) ] || wrong "$method, day $day: $bytes bytes, the full has $full_bytes"
                [ "$method" = none ] || [ "$bytes" -lt $((full_bytes / 20)) ] || wrong "$method, day $day: $bytes bytes, the full has $full_bytes"
                ;;
        esac
        sqlite3 app.db "UPDATE entry SET cents = cents + 1 WHERE id % 400 = $day; INSERT INTO entry (cents) VALUES ($day); DELETE FROM entry WHERE id = 100 + $day"
    done
    is "$(count)" 8 "$method: backups"
    all_verify -q -e dev --max-age 800000h
    expect 0 backup-guard -q -e dev --max-age 800000h --verify restore
    expect 0 backup-guard -e dev --max-age 800000h --json
    is "$(jq -r '.findings[] | select(.check == "chain") | .message' "$OUT")" 'all that 6 increments need is there' "$method: what the guard says"
    for id in $(backups); do
        expect 0 restore-db "$id" -e dev --to sqlite:out.db
        is "$(content out.db)" "$(content "state-$id.db")" "$method, $id: what is restored"
        rm out.db
        # As its own instructions say, and by the program that lies in its folder.
        case $(jq -r .type "backups/dev/$id/manifest.json") in
            full) ;;
            *)
                # shellcheck disable=SC2016 # RESTORE.txt has it as it stands
                grep -qF 'python3 recover.py --role database . "$OUT/restored.sqlite"' "backups/dev/$id/RESTORE.txt" || wrong "no instructions for $id"
                (cd "backups/dev/$id" && python3 recover.py --role database . -) >out.db 2>"$ERR" || wrong "$id cannot be recovered"
                is "$(content out.db)" "$(content "state-$id.db")" "$method, $id: what is recovered"
                rm out.db
                ;;
        esac
    done
done

# Another page size shares nothing: a full, whatever was wanted.
sqlite3 app.db 'PRAGMA journal_mode = DELETE; PRAGMA page_size = 8192; VACUUM' >/dev/null
expect 0 at 2026-01-08T04:00:00Z backup-db -e dev --type incremental --json
is "$(jq -r .manifest.type "$OUT")" full "the type after another page size"
# Nothing to refer to is told, where it was asked for.
rm -rf backups "$HOLDFAST_STATE_DIR"
expect 0 backup-db -e dev --type incremental
says 'there is no good backup that this one could refer to: it is a full, not incremental'
expect 2 backup-db -e dev --type partial
says 'none of full, incremental, differential, auto'
nothing_left
