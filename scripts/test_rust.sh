#!/bin/sh
# Runs all Rust tests, golden jobs and the short crash test included, and ends with their sum.
#
# Cargo prints one closing line per test program and no sum, so the lines are counted here. Everything is run even
# when something fails; the exit code is that of cargo.
set -eu
cd "$(dirname "$0")/.."

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
{
    set +e
    ${CARGO:-cargo} test --workspace --locked --no-fail-fast "$@"
    echo $? >"$place/status"
} 2>&1 | tee "$place/output"

awk '/^test result:/ { programs++; passed += $4; failed += $6; ignored += $8 }
    END { printf "cargo test: %d passed, %d failed, %d ignored in %d test programs\n", passed, failed, ignored, programs }' \
    "$place/output"
exit "$(cat "$place/status")"
