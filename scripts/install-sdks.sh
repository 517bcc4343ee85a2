#!/usr/bin/env bash
# Microsoft's device SDKs, unmodified and pinned: they are the devices of the tests.
# Python's go to BUILD/venv, Node's to BUILD/node; nothing is done when the pins did not change.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build=${1:?usage: $0 BUILD}
mkdir -p "$build"

requirements=tests/requirements.txt
if ! cmp -s "$requirements" "$build/venv/installed.txt"; then
    rm -rf "$build/venv"
    python3 -m venv "$build/venv"
    "$build/venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements"
    cp "$requirements" "$build/venv/installed.txt"
fi

lock=tests/sdk/node/package-lock.json
if ! cmp -s "$lock" "$build/node/installed.json"; then
    rm -rf "$build/node"
    mkdir -p "$build/node"
    cp tests/sdk/node/package.json "$lock" "$build/node/"
    npm ci --prefix "$build/node" --ignore-scripts --no-audit --no-fund --loglevel=error
    cp "$lock" "$build/node/installed.json"
fi
