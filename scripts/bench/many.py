#!/usr/bin/env python3
"""Makes a store of very many backups out of one real one.

    many.py STORE ENVIRONMENT COUNT

The one backup of ENVIRONMENT is copied COUNT - 1 times, one for each hour before it, each with an id and times of its own. Every copy
is a whole backup: its checksums fit, it could be restored.
"""

import datetime
import hashlib
import json
import os
import sys


def main():
    if len(sys.argv) != 4 or not sys.argv[3].isdigit():
        sys.exit(__doc__)
    place, count = os.path.join(sys.argv[1], sys.argv[2]), int(sys.argv[3])
    (first,) = [name for name in os.listdir(place) if not name.startswith(".")]
    files = {}
    for name in os.listdir(os.path.join(place, first)):
        with open(os.path.join(place, first, name), "rb") as file:
            files[name] = file.read()
    manifest = json.loads(files["manifest.json"])
    made = datetime.datetime.fromisoformat(manifest["created_at"].replace("Z", "+00:00"))
    lines = files["SHA256SUMS"].decode().splitlines()
    hashes = {name: value for value, name in (line.split("  ", 1) for line in lines)}
    os.umask(0o077)
    for number in range(1, count):
        at = made - datetime.timedelta(hours=number)
        own = f"{at:%Y%m%dT%H%M%SZ}-{sys.argv[2]}-{manifest['kind']}-{number % 65536:04x}"
        shown = f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"
        described = dict(manifest, id=own, created_at=shown, finished_at=shown)
        copy = dict(files)
        copy["manifest.json"] = (json.dumps(described, indent=2, ensure_ascii=False) + "\n").encode()
        copy["RESTORE.txt"] = files["RESTORE.txt"].replace(first.encode(), own.encode())
        for name in ("manifest.json", "RESTORE.txt"):
            hashes[name] = hashlib.sha256(copy[name]).hexdigest()
        copy["SHA256SUMS"] = "".join(f"{hashes[name]}  {name}\n" for name in sorted(hashes)).encode()
        folder = os.path.join(place, own)
        os.mkdir(folder)
        for name, content in copy.items():
            with open(os.path.join(folder, name), "wb") as file:
                file.write(content)


main()
