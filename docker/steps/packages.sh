#!/usr/bin/env bash
# Install the missing Debian packages of a profile:
#   runtime  what a server and the demonstration need
#   orthanc  runtime, and what the tests against Orthanc need
#   test     orthanc, and what the browser tests and the examples of the documentation need; the same for the newest Python packages
#   debootstrap  what builds another Debian in a folder
#   browser  what prepares the browser's packages, in the first stage of the Docker image
#   image    what the Docker image adds to its base
# A service that runs already is left alone; one that these packages bring (Orthanc's, a proxy's) is left switched off.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=speak.sh
. "$(dirname "$0")/speak.sh"

profile=${1:-runtime}
log=packages.log

wanted() {
    case $profile in
        image) echo python3 python3-venv ca-certificates ;;
        browser) echo python3 ca-certificates && npm_unless_there ;;
        debootstrap) echo debootstrap ;;
        runtime) runtime ;;
        orthanc) runtime && orthanc_tests ;;
        test | newest) runtime && orthanc_tests && document_tests && browser_tests ;;
        *) fail "packages.sh knows no profile \"$profile\"." ;;
    esac
}
runtime() {
    echo orthanc orthanc-python orthanc-dicomweb dcmtk python3 python3-venv ca-certificates
    echo libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-nanum # of PDFs, and the Korean letters in them
    npm_unless_there
}
orthanc_tests() { echo orthanc-postgresql orthanc-gdcm dicom3tools procps prometheus; } # prometheus: its promtool reads our metrics
document_tests() { echo r-base-core; } # the example of docs/dose-exports.md
browser_tests() { echo chromium chromium-headless-shell libatomic1 fonts-noto-cjk nginx caddy openssl poppler-utils; } # libatomic1: of Playwright's driver
# Debian's npm conflicts with Node packages from elsewhere, which bring their own.
npm_unless_there() { command -v npm >/dev/null || [ "${WITHOUT_NPM:-}" = 1 ] || echo nodejs npm; }

is_installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

find_missing() {
    local package
    for package in $(wanted); do
        is_installed "$package" || echo "$package"
    done
}

require_known_distribution() {
    local name=this version=system
    if [ -r /etc/os-release ]; then
        name=$(. /etc/os-release && echo "${ID:-unknown}")
        version=$(. /etc/os-release && echo "${VERSION_ID:-testing}")
    fi
    case $profile:$name:$version in
        image:* | *:debian:12 | *:debian:13 | *:debian:testing) ;; # "testing": it has no number yet, nor has sid
        *) fail "the set-up knows Debian 12 and 13, not $name $version. Install these by hand, then run it again: $missing." ;;
    esac
}

become_root() {
    as_root=()
    [ "$(id -u)" = 0 ] && return
    command -v sudo >/dev/null || fail "these packages are missing and need root, but there is no sudo: run \`apt-get install $missing\` as root, then try again."
    if ! sudo -n true 2>/dev/null; then
        [ -t 0 ] || fail "these packages are missing and sudo wants a password: run \`sudo apt-get install $missing\`, then try again."
        say "sudo may ask for your password, to install: $missing"
        sudo -v || fail "sudo was refused; run \`apt-get install $missing\` as root, then try again."
    fi
    as_root=(sudo)
}

# Debian starts a service when its package is installed, and restarts Orthanc's when it gets a plugin. A new one would
# take ports (8042 and 4242, 80); one that runs has work to do. So a policy that refuses both stands there during the
# installation, unless the machine has a policy of its own.
services="orthanc nginx caddy prometheus prometheus-node-exporter"
policy=${POLICY_RC_D:-/usr/sbin/policy-rc.d}
hold_services_back() {
    local service
    for service in $services; do
        case " $missing " in *" $service "*) new_services="$new_services $service" ;; esac
    done
    [ -e "$policy" ] && return
    trap remove_policy EXIT
    printf '%s\n' '#!/bin/sh' '# Of the installation of Treegarth; removed at its end.' \
        "case \${1%.service} in ${services// / | }) exit 101 ;; esac" 'exit 0' |
        "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod 755 "$policy"
}
remove_policy() { "${as_root[@]}" rm -f "$policy"; }

switch_new_services_off() {
    local service
    for service in $new_services; do
        is_installed "$service" || continue
        if command -v systemctl >/dev/null; then
            run_logged $log "${as_root[@]}" systemctl disable "$service" || true
            [ ! -d /run/systemd/system ] || run_logged $log "${as_root[@]}" systemctl stop "$service" || true
        else
            run_logged $log "${as_root[@]}" update-rc.d "$service" disable || true
        fi
        say "Debian's own $service service is installed but switched off; $service is started where it is needed."
    done
}

apt() { run_logged $log "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@"; }

missing=$(find_missing | xargs)
[ -n "$missing" ] || exit 0
require_known_distribution
become_root
: >"$logs/$log"
say "installing packages: $missing"
new_services=""
apt update || true # a broken source that we do not need is no reason to stop; what we need is seen below
hold_services_back
# shellcheck disable=SC2086 # a list of words
if ! apt install -y --no-install-recommends $missing; then
    log_tells_of_no_network $log && fail "the package mirrors of this machine cannot be reached (see $logs/$log)."
    fail "apt-get could not install $missing (see the end of $logs/$log)."
fi
switch_new_services_off
