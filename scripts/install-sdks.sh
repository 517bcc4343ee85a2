#!/usr/bin/env bash
# Microsoft's device SDKs, unmodified and pinned: they are the devices of the tests.
# Python's go to BUILD/venv, Node's to BUILD/node, and an OpenID Connect provider to BUILD/oidc;
# nothing is done when the pins did not change.
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

# install_node FOLDER TARGET: what FOLDER's lock file pins.
install_node() {
    local lock=$1/package-lock.json target=$2

    cmp -s "$lock" "$target/installed.json" && return
    rm -rf "$target"
    mkdir -p "$target"
    cp "$1/package.json" "$lock" "$target/"
    npm ci --prefix "$target" --ignore-scripts --no-audit --no-fund --loglevel=error
    cp "$lock" "$target/installed.json"
}

install_node tests/sdk/node "$build/node"
install_node tests/oidc "$build/oidc"
