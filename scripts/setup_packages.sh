#!/bin/sh
# Installs the named Debian packages that are missing, and says so. Needs root or sudo only when something is missing.
set -eu

missing=""
for package in "$@"; do
    if ! dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed; then
        missing="$missing $package"
    fi
done
[ -n "$missing" ] || exit 0

as_root=""
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null 2>&1 || {
        echo "setup: these packages are needed:$missing" >&2
        echo "setup: there is no sudo here; ask an administrator for: apt-get install$missing" >&2
        exit 1
    }
    as_root="sudo"
fi
echo "setup: installing the Debian packages$missing"
# shellcheck disable=SC2086 -- the list is meant to be split
{
    $as_root apt-get update -qq
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
}
