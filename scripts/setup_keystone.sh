#!/bin/sh
# Puts OpenStack Keystone into a directory of the user's cache, for the tests of `keystone_endpoint`. Prints that directory; does
# nothing when it is up to date.
#
#   scripts/setup_keystone.sh --where   only says where it would be
set -eu
cd "$(dirname "$0")/.."

requirements=tests/python/keystone/requirements.txt
home=${WEIR_CACHE:-$HOME/.cache/weir}/keystone
echo "$home"
[ "${1:-}" != --where ] || exit 0
if cmp -s "$requirements" "$home/installed-requirements.txt"; then
    exit 0
fi
echo "setup: installing OpenStack Keystone into $home (used by tests only)" >&2
rm -rf "$home"
python3 -m venv "$home"
"$home/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$requirements" >&2
cp "$requirements" "$home/installed-requirements.txt"
