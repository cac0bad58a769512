# shellcheck shell=bash
# Sourced by every step: where things are, and how a step speaks. A line on the screen for what is done, the tools'
# own words in a log, one clear sentence when it cannot go on.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache=$root/.cache
logs=$cache/log
# shellcheck disable=SC2034 # these are the other steps'
{
    lock=$root/requirements.lock
    tests_heading='# What the tests and checks need in addition.' # parts the lock file
}
mkdir -p "$logs"

say() { printf 'treegarth: %s\n' "$*"; }

fail() {
    printf 'treegarth: %s\n' "$*" >&2
    exit 1
}

# run_logged LOG COMMAND...: run it with its output in $logs/LOG only.
run_logged() {
    local log=$logs/$1
    shift
    "$@" >>"$log" 2>&1 </dev/null
}

# Whether a log of this run tells of an unreachable network rather than of anything else.
log_tells_of_no_network() {
    grep -qiE 'could not resolve|temporary failure|could not connect|unable to connect|network is unreachable|name resolution|getaddrinfo|EAI_AGAIN|ENOTFOUND|ECONNREFUSED|connection refused|NewConnectionError|connection timed out|failed to establish|ETIMEDOUT|from versions: none' "$logs/$1"
}
