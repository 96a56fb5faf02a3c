# shellcheck shell=bash disable=SC2154,SC2034 # it shares its variables with `run`
# shellcheck disable=SC2016 # the commands are expanded by the shell that they are run in
# Files: a media tree, backed up, backed up again, and restored.

media_files=5000

# A tree of 5,000 files and 440 MB, from one seed: most are small, two thirds of the bytes cannot be compressed.
media_tree() {
	export MEDIA="$bench/data/media"
	[ ! -d "$MEDIA" ] || return 0
	note "building a media tree of $media_files files"
	rm -rf "$MEDIA.new"
	python3 - "$MEDIA.new" "$media_files" <<-'PYTHON'
		import os, random, sys
		folder, count = sys.argv[1], int(sys.argv[2])
		chance = random.Random(20261121)
		words = [chance.randbytes(chance.randrange(2, 9)).hex() for _ in range(4000)]
		for number in range(count):
		    path = f"{folder}/{number % 60:02}/{number % 7}/file-{number:05}.{'txt' if number % 3 == 0 else 'jpg'}"
		    os.makedirs(os.path.dirname(path), exist_ok=True)
		    size = min(int(chance.lognormvariate(10.6, 1.2)), 4_000_000)
		    if number % 3 == 0:
		        data = " ".join(chance.choice(words) for _ in range(size // 8)).encode()
		    else:
		        data = chance.randbytes(size)
		    with open(path, "wb") as file:
		        file.write(data)
	PYTHON
	# Old enough that nobody has to doubt a timestamp.
	find "$MEDIA.new" -exec touch -h -d '2026-01-01' {} +
	mv "$MEDIA.new" "$MEDIA"
}

part_files() {
	media_tree
	printf '\nMedia tree: %s files, %s MB\n' "$(find "$MEDIA" -type f | wc -l)" "$(du -sb "$MEDIA" | awk '{ printf "%.0f", $1 / 1e6 }')"
	files_first
	files_again
	files_restored
}

files_first() {
	local fresh='rm -rf "$HOLDFAST_STATE_DIR"'
	local ours='"$BENCH_BIN"/backup-full "$MEDIA" --store "$OUT/store" --no-prune --compression'
	local -a peers=()
	export RESTIC_PASSWORD=bench BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes BORG_BASE_DIR="$bench/borg"
	if have restic; then
		peers+=(--case restic 'restic --quiet --no-cache --repo "$OUT/restic" backup "$MEDIA"'
			--before restic 'restic --quiet --no-cache --repo "$OUT/restic" init'
			--reach 'backup-full, zstd' restic 0.99)
	fi
	if have borg; then
		peers+=(--case borg 'borg create --compression zstd,1 "$OUT/borg::one" "$MEDIA"' --before borg 'borg init -e none "$OUT/borg"'
			--reach 'backup-full, zstd' borg 0.99)
	fi
	measure 'Media, first backup' \
		--case 'tar | zstd -T0' 'tar -cf - -C "$MEDIA" . | zstd -q -T0 -1 -o "$OUT/media.tar.zst"' \
		"${peers[@]}" \
		--case 'backup-full, zstd' "$ours zstd" --before 'backup-full, zstd' "$fresh" \
		--case 'backup-full, gzip' "$ours gzip" --before 'backup-full, gzip' "$fresh" \
		--reach 'backup-full, zstd' 'tar | zstd -T0' 1.50
}

# The second one: nothing has changed, and then 1 % of the files have. Each round of ours refers to the full.
files_again() {
	have restic || { note 'the second backup of files is measured beside restic, which is not installed'; return; }
	empty_kept
	mkdir -p "$OUT"
	export TREE="$KEPT/media" RESTIC_PASSWORD=bench
	local round what each
	local -A walls=() gains=()
	cp -a "$MEDIA" "$TREE"
	sleep 3 # so that the changes are younger than the backup that they are compared with
	restic --quiet --cache-dir "$KEPT/cache" --repo "$KEPT/restic" init
	restic --quiet --cache-dir "$KEPT/cache" --repo "$KEPT/restic" backup "$TREE"
	"$BENCH_BIN"/backup-full "$TREE" --store "$KEPT/store" --compression zstd >/dev/null
	sleep 3
	local restic='restic --quiet --cache-dir "$KEPT/cache" --repo "$KEPT/restic" backup "$TREE"'
	local ours='"$BENCH_BIN"/backup-full "$TREE" --store "$KEPT/store" --no-prune --type differential --compression zstd'
	for what in unchanged changed; do
		if [ $what = changed ]; then
			cp -a "$KEPT/restic" "$KEPT/restic.before"
			find "$TREE" -type f | sort | awk 'NR % 100 == 7' | while read -r each; do printf 'another end' >>"$each"; done
		fi
		for ((round = 0; round < rounds; round++)); do
			one "media $what, backup-full" "$KEPT/store" "$ours"
			drop_new
			if [ $what = changed ]; then
				rm -rf "$KEPT/restic"
				cp -a "$KEPT/restic.before" "$KEPT/restic"
			fi
			one "media $what, restic" "$KEPT/restic" "$restic"
		done
	done
	told 'Media, second backup' 'media changed, restic' 'media changed, backup-full' 'media unchanged, restic' 'media unchanged, backup-full'
	# Half of rustic's time, of which restic took 1.5 times in the measurements that the targets come from.
	against 'media changed, backup-full' 'media changed, restic' 0.33
	against 'media unchanged, backup-full' 'media unchanged, restic' 0.33
	empty_kept
}

files_restored() {
	empty_kept
	tar -cf - -C "$MEDIA" . | zstd -q -T0 -1 -o "$KEPT/media.tar.zst"
	"$BENCH_BIN"/backup-full "$MEDIA" --store "$KEPT/store" --compression zstd >/dev/null
	local whole='test "$(find "$OUT/back" -type f | wc -l)" = '"$media_files"
	local -a peers=()
	if have restic; then
		restic --quiet --no-cache --repo "$KEPT/restic" init
		restic --quiet --no-cache --repo "$KEPT/restic" backup "$MEDIA"
		peers=(--case restic 'restic --quiet --no-cache --repo "$KEPT/restic" restore latest --target "$OUT/back"' --after restic "$whole")
	fi
	measure 'Media, restored' --no-stored \
		--case 'zstd -d | tar' 'mkdir "$OUT/back"; zstd -q -dc "$KEPT/media.tar.zst" | tar -xf - -C "$OUT/back"' --after 'zstd -d | tar' "$whole" \
		--case 'zstd -d | tar, synced' 'mkdir "$OUT/back"; zstd -q -dc "$KEPT/media.tar.zst" | tar -xf - -C "$OUT/back"; sync -f "$OUT/back"' \
		"${peers[@]}" \
		--case 'restore-db' '"$BENCH_BIN"/restore-db latest --store "$KEPT/store" -e dev --files-to "$OUT/back"' --after restore-db "$whole" \
		--reach restore-db 'zstd -d | tar' 1.00 --reach restore-db 'zstd -d | tar, synced' 1.00
	empty_kept
}
