#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

MODE=DELETE
. "$SCENARIOS/killed-restore.sh"
