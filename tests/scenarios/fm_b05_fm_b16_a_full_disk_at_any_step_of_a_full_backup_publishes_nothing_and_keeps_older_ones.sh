#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

export ERRNO=28
. "$SCENARIOS/failing-full.sh"
