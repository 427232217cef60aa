#!/bin/sh
# Finds Go, or installs Debian's, and fetches the modules of tests/go. Prints nothing when all is there.
#
# Tests with Go clients are skipped where there is no Go, and say so; with WEIR_TEST_SERVERS=required it is installed.
set -eu
cd "$(dirname "$0")/.."

go=$(sh scripts/find_go.sh)
if [ -z "$go" ]; then
    if [ "${WEIR_TEST_SERVERS:-}" != required ]; then
        echo "setup: tests with Go clients will be skipped; to run them: sudo apt-get install golang-go"
        exit 0
    fi
    sh scripts/setup_packages.sh golang-go
    go=$(sh scripts/find_go.sh)
fi
cd tests/go
# Only what the tests use is fetched, which is less than the modules have.
modules() {
    GOTOOLCHAIN=local GOFLAGS=-mod=readonly "$go" list -test -deps ./... >/dev/null
}
GOPROXY=off modules 2>/dev/null && exit 0
echo "setup: fetching the Go modules of tests/go"
# A second try, as the first may meet a network that is busy.
modules || modules
