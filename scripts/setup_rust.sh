#!/bin/sh
# Checks that the build can start: cargo of the right version, and a C compiler for the bundled SQLite.
set -eu
cd "$(dirname "$0")/.."

needed=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
command -v cargo >/dev/null 2>&1 || {
    echo "setup: cargo is missing; install Rust $needed or newer from https://rustup.rs and run this again" >&2
    exit 1
}
have=$(rustc --version | cut -d' ' -f2)
oldest=$(printf '%s\n%s\n' "$needed" "$have" | sort -V | head -n 1)
[ "$oldest" = "$needed" ] || {
    echo "setup: Rust $have is too old, $needed or newer is needed; run: rustup update stable" >&2
    exit 1
}
if ! command -v cc >/dev/null 2>&1; then
    sh scripts/setup_packages.sh gcc libc6-dev
fi
