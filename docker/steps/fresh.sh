#!/usr/bin/env bash
# Show that the README's two commands work on a new machine: a clone of the last commit in a Debian that was made a minute
# ago, with nothing but `make` in addition. A folder that went well is removed, one that did not is kept for a look.
#   DEBIAN='12 13' fresh.sh
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=speak.sh
. "$(dirname "$0")/speak.sh"
# shellcheck source-path=SCRIPTDIR source=debian_tree.sh
. "$(dirname "$0")/debian_tree.sh"

checkout=/opt/treegarth

# run_command NAME COMMAND...: run it with its output in a log of its own, and say how it went.
run_command() {
    local own=$logs/fresh-$debian-$1.log begun=$SECONDS outcome='went well' code=0
    shift
    say "Debian $debian: \`$*\` runs, its output in ${own#"$root/"}"
    run_in_tree "$tree" $checkout "$@" >"$own" 2>&1 </dev/null || code=$? outcome=FAILED
    # The command's own last word: make has one on a failure.
    say "Debian $debian: \`$*\` $outcome after $((SECONDS - begun)) s: $(grep -v '^make' "$own" | tail -n 1)"
    return $code
}

# run_debian: both commands, also where the first failed. In namespaces, so that nothing stays mounted in the folder.
run_debian() {
    local failed=0
    build_tree "$tree" "$codename" make
    copy_network_configuration "$tree"
    mount_tree "$tree"
    run_logged "$log" git clone --no-hardlinks "$root" "$tree$checkout" ||
        fail "git could not clone this checkout (see $logs/$log)."
    say "Debian $debian: $(git -C "$root" log -1 --format='the commit is %h, %s')"
    run_command demo make demo ONCE=1 || failed=1
    run_command test make test || failed=1
    exit $failed
}

become_root "$@"
failed=0
for debian in ${DEBIAN:-12 13}; do
    codename=$(codename_of "$debian")
    tree=$cache/debian/fresh-$debian
    log=fresh-$debian.log
    if [ "${TREEGARTH_NAMESPACES:-}" = 1 ]; then run_debian; fi
    claim_tree "$tree"
    : >"$logs/$log"
    if (DEBIAN=$debian enter_namespaces "$@"); then remove_tree "$tree"; else failed=1; fi
done
exit $failed
