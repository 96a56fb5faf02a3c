#!/bin/sh
# shellcheck source=tests/scenarios/lib.sh
. "$SCENARIOS/lib.sh"

export TOOL=safe-migrate FLAGS="" ENDS=3 ERRNO=28
. "$SCENARIOS/failing-run.sh"
