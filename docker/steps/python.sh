#!/usr/bin/env bash
# Make .venv of the system's Python, because Orthanc embeds that one, and install Treegarth into it in place:
#   runtime  what requirements.lock says that a server needs, and nothing else. Does nothing when it is done.
#   test     the whole of requirements.lock. Does nothing when it is done.
#   newest   another venv, made from nothing each time: the newest that the ranges in pyproject.toml allow
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=speak.sh
. "$(dirname "$0")/speak.sh"

profile=${1:-runtime}
system_python=/usr/bin/python3
venv=$root/.venv
[ "$profile" != newest ] || venv=$cache/newest/venv
stamp=$venv/treegarth.stamp
log=pip.log

[ -x $system_python ] || fail "there is no $system_python (Debian: apt-get install python3 python3-venv)."
version=$($system_python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
case $version in
    3.11 | 3.12 | 3.13 | 3.14) ;;
    *) fail "Treegarth needs Python 3.11 to 3.14; $system_python is $version." ;;
esac

checksum() { sha256sum <"$root/$1" | cut -d' ' -f1; }
content="python $version, pyproject.toml $(checksum pyproject.toml), requirements.lock $(checksum requirements.lock), "
has() { grep -qxF "$content$1" "$stamp" 2>/dev/null; }

# Whether the venv was made here, by this Python: its scripts name its place, so it cannot be moved.
is_usable() {
    [ "$("$venv/bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" = "$version" ] &&
        head -n 2 "$venv/bin/pip" 2>/dev/null | grep -qF "$venv/bin/python"
}

# Whoever runs Orthanc can seldom write here, and would compile every module anew at each start.
compile_modules() {
    run_logged $log "$venv/bin/python" -m compileall -q "$root/plugin" ||
        say "some modules could not be compiled ahead (see $logs/$log): starts take a second longer."
}

pip_install() { run_logged $log "$venv/bin/python" -m pip install --disable-pip-version-check "$@"; }

# One requirement of the lock file, or all that a profile needs: with their checksums.
locked_setuptools() { sed -n '/^setuptools==/,/[^\\]$/p' "$lock"; }
locked_packages() {
    case $profile in
        runtime) sed "/^$tests_heading\$/,\$d" "$lock" ;;
        test) cat "$lock" ;;
    esac
}

# setuptools first, and no build of its own making: nothing comes in that the lock file does not name.
install_locked() {
    pip_install --require-hashes -r <(locked_setuptools) &&
        pip_install --require-hashes --no-build-isolation -r <(locked_packages) &&
        pip_install --no-deps --no-build-isolation --editable "$root"
}
install_newest() { pip_install --editable "${root}[dev]"; }
install() { if [ "$profile" = newest ]; then install_newest; else install_locked; fi; }

clear=--clear
if [ "$profile" != newest ] && is_usable; then
    if has "$profile" || has test; then
        compile_modules
        exit 0
    fi
    clear=
    ! grep -q 'test$' "$stamp" 2>/dev/null || profile='test' # what the tests need stays, once it is there
fi

: >"$logs/$log"
say "preparing Python $version in ${venv#"$root/"} (a few minutes the first time)"
rm -f "$stamp"
# shellcheck disable=SC2086 # one option or none
run_logged $log $system_python -m venv $clear "$venv" ||
    fail "$system_python could not make a virtual environment (see $logs/$log; Debian: apt-get install python3-venv)."
if ! install; then
    grep -q 'DO NOT MATCH THE HASHES' "$logs/$log" && fail "a Python package is not the one that requirements.lock names (see $logs/$log)."
    log_tells_of_no_network $log && fail "pip could not reach its package index (see $logs/$log)."
    fail "pip could not install Treegarth (see the end of $logs/$log)."
fi
echo "$content$profile" >"$stamp"
compile_modules
