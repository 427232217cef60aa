#!/bin/sh
# Prints where Go 1.19 or newer is, or nothing.
set -eu
for go in "$(command -v go || true)" /usr/local/go/bin/go; do
    [ -n "$go" ] && [ -x "$go" ] || continue
    version=$(GOTOOLCHAIN=local "$go" env GOVERSION 2>/dev/null | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
    if [ "${version:-0}" -ge 19 ]; then
        echo "$go"
        exit 0
    fi
done
