#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

ERRNO=28
. "$SCENARIOS/failing-steps.sh"
