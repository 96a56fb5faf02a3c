#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

MODE=WAL
. "$SCENARIOS/killed-restore.sh"
