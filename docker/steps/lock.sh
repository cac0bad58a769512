#!/usr/bin/env bash
# Make requirements.lock anew: the newest version of every Python package that the ranges in pyproject.toml allow, for
# each Python that Treegarth runs on, with the checksums of its files. Raising versions is an act of its own: nothing
# else writes this file. uv has a venv of its own under .cache; where PyPI is reached another way, UV_DEFAULT_INDEX
# names it.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=speak.sh
. "$(dirname "$0")/speak.sh"

work=$cache/lock
log=lock.log
: >"$logs/$log"
mkdir -p "$work"

install_uv() {
    run_logged $log /usr/bin/python3 -m venv --clear "$work/venv" && run_logged $log "$work/venv/bin/python" -m pip install uv
}

# compile TARGET OPTION...: uv's resolution of pyproject.toml and of what builds Treegarth.
compile() {
    local target=$1
    shift
    (cd "$root" && run_logged $log "$work/venv/bin/uv" pip compile pyproject.toml "$work/build.in" --universal --python-version 3.11 \
        --generate-hashes --no-header --no-annotate --output-file "$target" "$@") && return
    log_tells_of_no_network $log && fail "uv could not reach the package index (see $logs/$log)."
    fail "uv found no versions that fit pyproject.toml (see the end of $logs/$log)."
}

# part_of_all yes|no: the requirements of the whole, with their checksums, that a server needs, or all the others.
part_of_all() {
    awk -v wanted="$1" -F '==' '
        FNR == NR { if (/^[a-z0-9]/) runtime[$1] = 1; next }
        /^[a-z0-9]/ { printing = (($1 in runtime) == (wanted == "yes")) }
        printing' "$work/runtime" "$work/all"
}

say "asking for the newest Python packages that pyproject.toml allows"
install_uv || fail "uv could not be installed (see the end of $logs/$log)."
/usr/bin/python3 -c 'import sys, tomllib; print(*tomllib.load(sys.stdin.buffer)["build-system"]["requires"], sep="\n")' \
    <"$root/pyproject.toml" >"$work/build.in"
rm -f "$work/all" "$work/runtime" # uv would keep the versions that it finds there
compile "$work/all" --extra dev
compile "$work/runtime" --constraint "$work/all"
{
    echo "# Every Python package that Treegarth is installed with, for Python 3.11 to 3.14. Made by \`make lock\`; not edited by hand."
    echo
    echo '# What a server needs.'
    part_of_all yes
    echo
    echo "$tests_heading"
    part_of_all no
} >"$work/new"

versions() { grep -oE '^[a-z0-9][^ ]+==[^ ]+' "$1" || true; }
touch "$lock"
changes=$(diff <(versions "$lock") <(versions "$work/new") | grep '^[<>]' || true)
mv "$work/new" "$lock"
if [ -z "$changes" ]; then
    say "requirements.lock holds the newest versions already."
else
    printf '%s\n' "$changes"
    say "requirements.lock holds the newest versions now; \`make test\` says whether they work."
fi
