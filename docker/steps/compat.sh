#!/usr/bin/env bash
# Run the tests against Orthanc on another Debian (13: Orthanc 1.12.7, Python 3.13), in a folder made by debootstrap.
# The mounts live in a mount namespace of their own: they vanish with this process, however it ends.
#   compat.sh [COMMAND...]   COMMAND, inside, from the checkout; default: pytest on tests/orthanc
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=speak.sh
. "$(dirname "$0")/speak.sh"

release=trixie
tree=$cache/debian13
log=compat.log
inside='docker/steps/compat_inside.sh'

if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || fail "make compat builds a root folder and needs root, but there is no sudo: run it as root."
    exec sudo --preserve-env "$0" "$@"
fi
if [ "${TREEGARTH_COMPAT_NAMESPACE:-}" != 1 ]; then
    "$root/docker/steps/packages.sh" compat
    export TREEGARTH_COMPAT_NAMESPACE=1
    exec unshare --mount --propagation private --pid --fork --kill-child "$0" "$@"
fi

# The mirror that this machine's own packages come from.
debian_mirror() {
    # shellcheck disable=SC2016 # a field of apt's
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -n 1
}

build_tree() {
    [ ! -e "$tree/built" ] || return 0
    local mirror
    mirror=$(debian_mirror)
    [ -n "$mirror" ] || { run_logged $log apt-get update && mirror=$(debian_mirror); }
    [ -n "$mirror" ] || fail "apt knows no Debian mirror on this machine."
    say "building Debian 13 in .cache/debian13 (some minutes the first time)"
    rm -rf "$tree" "$tree.partial" # nothing is mounted here yet: this namespace is new
    if ! run_logged $log debootstrap --variant=minbase $release "$tree.partial" "$mirror"; then
        log_tells_of_no_network $log && fail "the Debian mirror cannot be reached (see $logs/$log)."
        fail "debootstrap could not build Debian 13 (see the end of $logs/$log)."
    fi
    touch "$tree.partial/built"
    mv "$tree.partial" "$tree"
}

# What lets apt and pip inside reach what they reach outside.
copy_network_configuration() {
    local file
    mkdir -p "$tree/etc/ssl/certs" "$tree/etc/apt/apt.conf.d" "$tree/var/lib/treegarth-compat"
    cp --dereference /etc/ssl/certs/ca-certificates.crt "$tree/var/lib/treegarth-compat/"
    for file in /etc/resolv.conf /etc/hosts /etc/ssl/certs/ca-certificates.crt; do
        [ ! -e $file ] || cp --dereference --remove-destination $file "$tree$file"
    done
    apt-config dump | grep -iE '^Acquire::(http|https)::(Proxy|CaInfo|Verify)' >"$tree/etc/apt/apt.conf.d/90host" || true
    pip config debug 2>/dev/null | sed -nE 's/^ +(.*), exists: True$/\1/p' | while read -r file; do
        case $file in "$root"/*) continue ;; esac
        mkdir -p "$tree$(dirname "$file")"
        cp --dereference "$file" "$tree$file"
    done
}

# Local folders that pip takes packages from; an index folder "simple" links to files beside it.
pip_folders() {
    pip config list 2>/dev/null | grep -oE "(file://)?/[^' ]+" | sed 's#^file://##; s#/simple/*$##' | sort -u | while read -r folder; do
        [ ! -d "$folder" ] || echo "$folder"
    done
}
pip() { "$root/.venv/bin/python" -m pip "$@"; }

bind() {
    mkdir -p "$tree$2"
    mount --bind "$1" "$tree$2"
}

mount_tree() {
    local folder
    mkdir -p "$tree/proc" "$tree/dev" "$tree/sys"
    mount -t proc proc "$tree/proc"
    mount --rbind /dev "$tree/dev"
    mount --rbind /sys "$tree/sys"
    for folder in $(pip_folders); do
        bind "$folder" "$folder"
        mount -o remount,bind,ro "$tree$folder"
    done
    # The checkout, with a venv, cache and data of Debian 13's own.
    bind "$root" "$root"
    for folder in .venv .cache .data; do
        mkdir -p "$root/$folder" "$tree/var/lib/treegarth-compat/$folder"
        mount --bind "$tree/var/lib/treegarth-compat/$folder" "$tree$root/$folder"
    done
}

: >"$logs/$log"
build_tree
copy_network_configuration
mount_tree
exec chroot "$tree" /usr/bin/env --chdir="$root" -u TMPDIR -u TREEGARTH_COMPAT_NAMESPACE LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin "$inside" "$@"
