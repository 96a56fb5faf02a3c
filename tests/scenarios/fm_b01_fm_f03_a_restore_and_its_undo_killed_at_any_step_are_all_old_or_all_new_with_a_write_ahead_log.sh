#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

export MODE=WAL
. "$SCENARIOS/killed-restore.sh"
