#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

[ -r /proc/version ] || not_run 'there is no /proc'
: >empty
expect 7 backup-full /proc/version empty
says 'version is not in the backup as it should be: its length reads 0, and it holds something'
expect 0 restore-db latest --files-to out
cmp out/version /proc/version || wrong 'what was read is not there'
[ ! -s out/empty ] || wrong 'an empty file is not empty'
