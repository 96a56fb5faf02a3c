#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

export ERRNO=5
. "$SCENARIOS/failing-full.sh"
