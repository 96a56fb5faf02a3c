#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

export MODE=DELETE
. "$SCENARIOS/killed-restore.sh"
