#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

export TOOL=safe-migrate FLAGS="" ENDS=0 ERRNO=5
. "$SCENARIOS/failing-run.sh"
