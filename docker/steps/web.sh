#!/usr/bin/env bash
# Fetch the browser's packages by npm and prepare web/vendor. Does nothing when it is done.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=speak.sh
. "$(dirname "$0")/speak.sh"

log=npm.log
/usr/bin/python3 "$root/web/prepare.py" --is-prepared && exit 0

say "fetching the browser's packages and the OHIF viewer (50 MB)"
: >"$logs/$log"
if ! run_logged $log /usr/bin/python3 "$root/web/prepare.py"; then
    log_tells_of_no_network $log && fail "the npm registry cannot be reached (see $logs/$log)."
    fail "$(tail -n 1 "$logs/$log")"
fi
