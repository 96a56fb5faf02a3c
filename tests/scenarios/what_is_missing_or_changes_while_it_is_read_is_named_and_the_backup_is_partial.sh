#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

ledger app.db 20
mkdir media
echo a >media/a
head -c 60000000 /dev/urandom >media/large
config 'min_verified = 1' '[env.dev]' 'database = "app.db"' 'files = ["media", "gone"]' '[env.dev.retention]' 'keep_last = 1'

# A root that is not there: the rest is backed up, and nobody can take it for all.
expect 7 backup-full
says 'gone is not in the backup as it should be'
says 'is published, but 1 files or folders are missing from it'
first=$(made)
grep -qF 'NOT AS IT SHOULD BE: gone' "$(backup)/RESTORE.txt" || wrong 'RESTORE.txt does not tell'
is "$(jq -r '.components[1].files.incomplete[0].path' "$(backup)/manifest.json")" gone 'what is incomplete'
expect 7 backup-full --json
is "$(jq .status "$OUT")" 7 'the status in the document'
# A backup that lacks something removes no other.
is "$(count)" 2 'backups after two partial ones'
# Nor does it count as the newest good one, for the guard.
expect 3 backup-guard
prints 'it lacks, or holds torn, 1 files or folders: gone'
expect 0 backup-guard "$first"
# Whoever is about to restore from it is told before.
expect 0 restore-db latest --files-to back -n
says 'lacks, or holds torn, 1 files or folders'
expect 0 restore-db latest --preview
says 'lacks, or holds torn, 1 files or folders'
config 'min_verified = 1' '[env.dev]' 'database = "app.db"' 'files = ["media"]' '[env.dev.retention]' 'keep_last = 1'
expect 0 backup-full
whole=$(made)
is "$(count)" 3 'backups after a whole one: a partial one stays for some days, to be looked at'
expect 0 backup-guard

# A file that grows while it is read: as many bytes as were promised, whole chunks of a tar, and a word of it.
halted_at() {
    "$@" >"$OUT" 2>"$ERR" &
    VICTIM=$!
    # shellcheck disable=SC2016 # the inner shell's
    wait_for 'an archive that grows' sh -c 'test "$(cat backups/.staging-*/files.tar* | wc -c)" -gt 1000000'
    kill -STOP "$VICTIM"
}
ended() {
    kill -CONT "$VICTIM"
    STATUS=0
    wait "$VICTIM" || STATUS=$?
}
head -c 200000000 /dev/zero >media/large
halted_at backup-full --compression none
echo more >>media/large
ended
is "$STATUS" 7 'status after a file grew'
says 'media/large is not in the backup as it should be: it changed while it was read'
id=$(made)
folder=$(backup)
is "$(tar -tvf "$folder/files.tar" media/large | awk '{print $3}')" 200000000 'its length in the archive'
expect 0 backup-guard --verify structure "$id"
is "$(grep -c '"torn":true' "$folder/files.inventory.jsonl")" 1 'torn entries'

# One that shrinks: the rest is zeros, and it is torn.
halted_at backup-full --compression none
truncate -s 10 media/large
ended
is "$STATUS" 7 'status after a file shrank'
says 'it changed while it was read'
expect 0 backup-guard --verify structure "$(made)"
# One that vanishes after it was opened is read to its end; what vanishes before is named.
head -c 200000000 /dev/zero >media/large
mkdir media/later
for number in $(seq 40); do echo "$number" >"media/later/$number"; done
halted_at backup-full --compression none
rm -r media/later
ended
is "$STATUS" 7 'status after a folder vanished'
says 'media/later/9 is not in the backup as it should be: it vanished while its folder was read'
head -c 60000000 /dev/urandom >media/large
# The last whole one is never pushed out by partial ones; those go in time.
config 'min_verified = 1' '[env.dev]' 'database = "app.db"' 'files = ["media", "gone"]' '[env.dev.retention]' 'keep_last = 1'
expect 7 at 2036-01-01T00:00:00Z backup-full
expect 0 at 2036-01-02T00:00:00Z backup-db
[ -e "backups/dev/$whole" ] || wrong 'the last whole backup is gone'
config 'min_verified = 1' '[env.dev]' 'database = "app.db"' 'files = ["media"]' '[env.dev.retention]' 'keep_last = 1'
expect 0 at 2036-03-01T00:00:00Z backup-full
# Nothing makes up for what the configuration no longer names: the three that had it as missing are for a person to remove.
is "$(jq -s 'map(select(.kind == "full")) | length' backups/dev/*/manifest.json)" 4 'full backups at the end'
nothing_left
