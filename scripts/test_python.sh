#!/bin/sh
# Runs the client tests: published Python clients against a service that is started for them.
set -eu
cd "$(dirname "$0")/.."

target=$(cargo metadata --no-deps --format-version 1 | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
WEIR_BIN=${WEIR_BIN:-$target/debug/weir}
export WEIR_BIN

echo "expected results of the golden jobs, computed by DuckDB:"
.venv/bin/python scripts/duckdb_expected.py
echo "published Python clients against $WEIR_BIN:"
.venv/bin/python -m pytest -q -p no:cacheprovider tests/python "$@"
