#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

ERRNO=5
. "$SCENARIOS/failing-steps.sh"
