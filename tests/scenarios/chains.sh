# What scenarios about chains start from: backups that name a parent.
# shellcheck shell=sh
# increment PARENT TIME: publishes a copy of PARENT that says it is an increment of it, made at TIME; prints its id.
increment() {
    id=$(date -u -d "$2" +%Y%m%dT%H%M%SZ)-dev-db-$(printf '%s' "$2$1" | sha256sum | cut -c1-4)
    from=$(ls -d backups/*/"$1")
    to=backups/dev/$id
    cp -Rp "$from" "$to"
    jq --arg id "$id" --arg parent "$1" --arg at "$2" \
        '.id = $id | .type = "incremental" | .parent = $parent | .created_at = $at | .finished_at = $at' "$from/manifest.json" >"$to/manifest.json"
    cp "$SCENARIOS/../../scripts/recover" "$to/recover.py"
    chmod 600 "$to/recover.py"
    (cd "$to" && rm SHA256SUMS && find . -type f -printf '%P\n' | LC_ALL=C sort | xargs sha256sum >../sums && mv ../sums SHA256SUMS && chmod 600 SHA256SUMS)
    echo "$id"
}
# Every backup that there is can reach the full of its chain.
chains_are_whole() {
    expect 0 backup-catalog list --json
    jq -e '[.backups[].id] as $ids | all(.backups[]; .problem == null and (.parent == null or (.parent | IN($ids[]))))' "$OUT" >/dev/null ||
        wrong "a backup lacks what it needs, or cannot be read"
}
