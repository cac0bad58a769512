#!/usr/bin/env bash
# Remove what the set-up made. Data in .data/ stays; the Debian packages stay.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=speak.sh
. "$(dirname "$0")/speak.sh"

cd "$root"
grep -qF " $cache/" /proc/self/mountinfo && fail "something is mounted under $cache; unmount it first."
as_owner=()
if [ -e .cache/debian ] && [ ! -O .cache/debian ]; then # debootstrap made it as root
    command -v sudo >/dev/null || fail "$cache/debian belongs to root and there is no sudo: remove it as root first."
    as_owner=(sudo)
fi
"${as_owner[@]}" rm -rf --one-file-system .cache
rm -rf .venv web/vendor web/node_modules plugin/*.egg-info bench.json
rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
find plugin tests web migrations -name __pycache__ -type d -prune -exec rm -rf {} +
say "removed .venv, .cache and web/vendor; data in .data stays."
