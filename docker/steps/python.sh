#!/usr/bin/env bash
# Make .venv of the system's Python, because Orthanc embeds that one, and install Treegarth into it in place.
# `python.sh runtime` for a server, any other word for the tests and checks as well. Does nothing when it is done.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=speak.sh
. "$(dirname "$0")/speak.sh"

system_python=/usr/bin/python3
venv=$root/.venv
stamp=$venv/treegarth.stamp
log=pip.log

extras='[dev]'
[ "${1:-runtime}" != runtime ] || extras=

[ -x $system_python ] || fail "there is no $system_python (Debian: apt-get install python3 python3-venv)."
version=$($system_python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
case $version in
    3.11 | 3.12 | 3.13 | 3.14) ;;
    *) fail "Treegarth needs Python 3.11 to 3.14; $system_python is $version." ;;
esac

content="python $version, pyproject.toml $(sha256sum <"$root/pyproject.toml" | cut -d' ' -f1) "
has() { grep -qxF "$content$1" "$stamp" 2>/dev/null; }

# Whether .venv was made here, by this Python: its scripts name its place, so it cannot be moved.
is_usable() {
    [ "$("$venv/bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" = "$version" ] &&
        head -n 2 "$venv/bin/pip" 2>/dev/null | grep -qF "$venv/bin/python"
}

# Whoever runs Orthanc can seldom write here, and would compile every module anew at each start.
compile_modules() {
    run_logged $log "$venv/bin/python" -m compileall -q "$root/plugin" ||
        say "some modules could not be compiled ahead (see $logs/$log): starts take a second longer."
}

clear=--clear
if is_usable; then
    if has "$extras" || has '[dev]'; then
        compile_modules
        exit 0
    fi
    clear=
    ! grep -qF '[dev]' "$stamp" 2>/dev/null || extras='[dev]' # what the tests need stays, once it is there
fi

: >"$logs/$log"
say "preparing Python $version in .venv (a few minutes the first time)"
rm -f "$stamp"
# shellcheck disable=SC2086 # one option or none
run_logged $log $system_python -m venv $clear "$venv" ||
    fail "$system_python could not make a virtual environment (see $logs/$log; Debian: apt-get install python3-venv)."
if ! run_logged $log "$venv/bin/python" -m pip install --disable-pip-version-check --editable "$root$extras"; then
    log_tells_of_no_network $log && fail "pip could not reach its package index (see $logs/$log)."
    fail "pip could not install Treegarth (see the end of $logs/$log)."
fi
echo "$content$extras" >"$stamp"
compile_modules
