#!/bin/sh
# Runs the tests with published Go clients, each against a service that it starts.
set -eu
cd "$(dirname "$0")/.."

target=$(cargo metadata --no-deps --format-version 1 | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
WEIR_BIN=${WEIR_BIN:-$target/debug/weir}
export WEIR_BIN

go=$(sh scripts/find_go.sh)
if [ -z "$go" ]; then
    if [ "${WEIR_TEST_SERVERS:-}" = required ]; then
        echo "tests with Go clients: THERE IS NO GO, and they must run here"
        exit 1
    fi
    echo "tests with Go clients: SKIPPED, there is no Go here (make setup says how to get it)"
    exit 0
fi
echo "published Go clients against $WEIR_BIN:"
cd tests/go
# Results are not those of an earlier binary: -count=1.
GOTOOLCHAIN=local GOFLAGS=-mod=readonly "$go" test -count=1 "$@" ./...
