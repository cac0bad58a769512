# shellcheck shell=bash
# Sourced by the steps that run something on another Debian: a folder that debootstrap makes, entered by chroot in
# namespaces of its own. Its mounts and its processes vanish with the step, however that ends; of the machine outside it
# sees the network, and what apt, pip and npm need there to reach their servers.
# The step sets `log`, the name of the log that the building goes to.
# shellcheck disable=SC2154 # what the step and speak.sh set

# codename_of NUMBER: 12, 13 or sid.
codename_of() {
    case $1 in
        12) echo bookworm ;;
        13) echo trixie ;;
        sid) echo sid ;;
        *) fail "DEBIAN is 12, 13 or sid, not \"$1\"." ;;
    esac
}

# become_root ARGUMENT...: run this step again as root, unless it is.
become_root() {
    [ "$(id -u)" != 0 ] || return 0
    command -v sudo >/dev/null || fail "another Debian is a root folder and needs root, but there is no sudo: run it as root."
    exec sudo --preserve-env "$0" "$@"
}

# enter_namespaces ARGUMENT...: run this step again in namespaces of its own, unless it is there already.
enter_namespaces() {
    [ "${TREEGARTH_NAMESPACES:-}" != 1 ] || return 0
    TREEGARTH_NAMESPACES=1 exec unshare --mount --propagation private --pid --ipc --fork --kill-child "$0" "$@"
}

# The mirror that this machine's own packages come from.
debian_mirror() {
    # shellcheck disable=SC2016 # a field of apt's
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -n 1
}

# claim_tree TREE: for this step alone, until it ends.
claim_tree() {
    mkdir -p "$(dirname "$1")"
    exec 8>"$1.lock"
    flock --nonblock 8 || fail "another run uses ${1#"$root/"}: wait for its end."
}

# remove_tree TREE: never what is mounted in it.
remove_tree() {
    ! grep -qF " $1/" /proc/self/mountinfo || fail "something is mounted under $1; unmount it first."
    rm -rf --one-file-system "$1"
}

# build_tree TREE CODENAME [PACKAGES]
build_tree() {
    local tree=$1 codename=$2 packages=${3:-} mirror
    "$root/docker/steps/packages.sh" debootstrap
    mirror=$(debian_mirror)
    [ -n "$mirror" ] || { run_logged "$log" apt-get update && mirror=$(debian_mirror); }
    [ -n "$mirror" ] || fail "apt knows no Debian mirror on this machine."
    say "building Debian $codename in ${tree#"$root/"} (a minute)"
    remove_tree "$tree"
    remove_tree "$tree.partial"
    if ! run_logged "$log" debootstrap --variant=minbase ${packages:+"--include=$packages"} "$codename" "$tree.partial" "$mirror"; then
        log_tells_of_no_network "$log" && fail "the Debian mirror cannot be reached (see $logs/$log)."
        fail "debootstrap could not build Debian $codename (see the end of $logs/$log)."
    fi
    mv "$tree.partial" "$tree"
}

# What lets apt, pip and npm inside reach what they reach outside.
copy_network_configuration() {
    local tree=$1 file
    for file in /etc/resolv.conf /etc/hosts; do
        [ ! -e $file ] || cp --dereference --remove-destination $file "$tree$file"
    done
    copy_certificates "$tree"
    {
        apt-config dump | grep -iE '^Acquire::(http|https)::(Proxy|CaInfo|Verify)' || true
        echo 'Acquire::Check-Valid-Until "false";' # the lists of sid end after a week, and a mirror may be older
    } >"$tree/etc/apt/apt.conf.d/90host"
    { pip_configurations && pip_paths; } | sort -u | while read -r file; do
        case $file in "$root"/* | /etc/ssl/*) continue ;; esac
        [ ! -f "$file" ] || install -D --mode 644 "$file" "$tree$file"
    done
}

# The certificates that this machine trusts, also after the package of Debian's own has written its file.
copy_certificates() {
    local bundle=/etc/ssl/certs/ca-certificates.crt hook=$1/etc/ca-certificates/update.d/host
    [ -e $bundle ] || return 0
    install -D --mode 644 $bundle "$1$bundle"
    install -D --mode 644 $bundle "$1/var/lib/treegarth/ca-certificates.crt"
    mkdir -p "$(dirname "$hook")"
    printf '#!/bin/sh\nexec cp /var/lib/treegarth/ca-certificates.crt %s\n' $bundle >"$hook"
    chmod 755 "$hook"
}

# The pip of the checkout, or this machine's.
pip() {
    if [ -x "$root/.venv/bin/python" ]; then
        "$root/.venv/bin/python" -m pip "$@" 2>/dev/null || true
    elif command -v pip3 >/dev/null; then
        pip3 "$@" 2>/dev/null || true
    fi
}
pip_configurations() { pip config debug | sed -nE 's/^ +(.*), exists: True$/\1/p'; }
# Files and folders that pip's configuration names: constraints, certificates, packages. An index "simple" has files beside it.
pip_paths() { pip config list | grep -oE "(file://)?/[^' ]+" | sed 's#^file://##; s#/simple/*$##' | sort -u; }

# What the tools and `make` take from the environment; everything else of it stays outside.
inherited_environment() {
    local key value
    env --null | grep --null-data -iE '^(PIP_\w+|NPM_CONFIG_\w+|(HTTP|HTTPS|ALL|NO)_PROXY|SSL_CERT_\w+|NODE_EXTRA_CA_CERTS|REQUESTS_CA_BUNDLE|TERM|HTTP_PORT|DICOM_PORT|PYTEST_OPTIONS|TREEGARTH_SOAK)='
    command -v npm >/dev/null || return 0
    for key in registry proxy https-proxy; do
        value=$(npm config get $key 2>/dev/null)
        case $value in '' | null | undefined) ;; *) printf 'NPM_CONFIG_%s=%s\0' "${key//-/_}" "$value" ;; esac
    done
}

# mount_tree TREE: what a system needs to run, and folders that pip takes packages from.
mount_tree() {
    local tree=$1 folder
    mount -t proc proc "$tree/proc"
    mount --rbind /dev "$tree/dev"
    mount -t tmpfs -o mode=1777 tmpfs "$tree/dev/shm"
    mount --rbind /sys "$tree/sys"
    for folder in $(pip_paths); do
        [ -d "$folder" ] || continue
        bind "$folder" "$tree$folder"
        mount -o remount,bind,ro "$tree$folder"
    done
}

# bind FOLDER PLACE: the folder is to be seen there too.
bind() {
    mkdir -p "$2"
    mount --bind "$1" "$2"
}

# run_in_tree TREE FOLDER COMMAND...: run it inside. Not by exec: process 1 must be a shell, which buries orphans.
run_in_tree() {
    local tree=$1 folder=$2 inherited
    shift 2
    mapfile -d '' -t inherited < <(inherited_environment)
    mkdir -p "$tree$HOME"
    chroot "$tree" /usr/bin/env -i --chdir="$folder" "${inherited[@]}" \
        HOME="$HOME" LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
}
