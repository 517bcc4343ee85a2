#!/usr/bin/env bash
# build.sh FOLDER TARGETS [CMAKE OPTIONS]: configures FOLDER when the options changed, then builds.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=${1:?usage: $0 FOLDER TARGETS [CMAKE OPTIONS]}
targets=${2:?usage: $0 FOLDER TARGETS [CMAKE OPTIONS]}
shift 2

configured="$folder/configured-with"
if [ ! -f "$folder/build.ninja" ] || { [ $# -gt 0 ] && [ "$(cat "$configured" 2>/dev/null)" != "$*" ]; }; then
    mkdir -p "$folder"
    cmake -S . -B "$folder" -G Ninja "$@" >"$folder/configure.log" 2>&1 || {
        cat "$folder/configure.log" >&2
        exit 1
    }
    echo "$*" >"$configured"
fi
# shellcheck disable=SC2086 # several targets are several words
exec ninja -C "$folder" --quiet $targets
