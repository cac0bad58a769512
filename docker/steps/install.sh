#!/usr/bin/env bash
# Install what is missing: `install.sh runtime` for a server, `install.sh test` for the tests and checks as well,
# `install.sh newest` for the tests in a venv of the newest Python packages.
# Everything is looked at first: where nothing is missing this takes a second and needs neither root nor network.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=speak.sh
. "$(dirname "$0")/speak.sh"

profile=${1:-runtime}
exec 9>"$cache/install.lock"
flock 9 # two `make` at once: the second waits and finds it done

"$root/docker/steps/packages.sh" "$profile"
"$root/docker/steps/python.sh" "$profile"
"$root/docker/steps/web.sh"
