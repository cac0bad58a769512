#!/usr/bin/env bash
# Run the tests against Orthanc on another Debian, with the checkout as it is.
#   DEBIAN=13|sid compat.sh [COMMAND...]   COMMAND, inside, from the checkout; default: pytest on tests/orthanc, or on
#                                          what PYTEST_OPTIONS says
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=speak.sh
. "$(dirname "$0")/speak.sh"
# shellcheck source-path=SCRIPTDIR source=debian_tree.sh
. "$(dirname "$0")/debian_tree.sh"

debian=${DEBIAN:-13}
log=compat.log
codename=$(codename_of "$debian")
tree=$cache/debian/$codename
become_root "$@"
enter_namespaces "$@"

claim_tree "$tree"
: >"$logs/$log"
[ -e "$tree" ] || build_tree "$tree" "$codename"
copy_network_configuration "$tree"
mount_tree "$tree"
# The checkout, with a venv, cache and data of that Debian's own.
bind "$root" "$tree$root"
for folder in .venv .cache .data; do
    mkdir -p "$root/$folder" "$tree/var/lib/treegarth/$folder"
    bind "$tree/var/lib/treegarth/$folder" "$tree$root/$folder"
done
run_in_tree "$tree" "$root" docker/steps/compat_inside.sh "$@"
