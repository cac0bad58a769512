#!/usr/bin/env bash
# What compat.sh runs inside the other Debian, from the checkout: install as anywhere else, then the command.
# The browser's packages were prepared outside; they are the same everywhere.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=speak.sh
. "$(dirname "$0")/speak.sh"

WITHOUT_NPM=1 "$root/docker/steps/packages.sh" orthanc
"$root/docker/steps/python.sh" test
say "Debian $(cat /etc/debian_version), $(Orthanc --version | head -n 1), $(.venv/bin/python --version)"
if [ $# -gt 0 ]; then exec "$@"; fi
# shellcheck disable=SC2086 # a list of words
exec .venv/bin/python -m pytest -p no:cacheprovider -n "$(($(nproc) + 1))" --dist loadfile ${PYTEST_OPTIONS:-tests/orthanc}
