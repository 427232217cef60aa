#!/bin/sh
# Makes .venv with the pinned Python packages that tests and benchmarks use. Does nothing when it is up to date.
set -eu
cd "$(dirname "$0")/.."

requirements=tests/python/requirements.txt
stamp=.venv/installed-requirements.txt
if [ -x .venv/bin/python ] && cmp -s "$requirements" "$stamp"; then
    exit 0
fi

if [ ! -x .venv/bin/python ]; then
    echo "setup: making the Python environment .venv (used by tests and benchmarks only)"
    if ! python3 -m venv .venv 2>/dev/null; then
        rm -rf .venv
        sh scripts/setup_packages.sh python3-venv
        python3 -m venv .venv
    fi
fi
echo "setup: installing the packages of $requirements into .venv"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement "$requirements"
cp "$requirements" "$stamp"
