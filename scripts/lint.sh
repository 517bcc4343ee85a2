#!/usr/bin/env bash
# Everything that can be said of the code without running it. Goes on after a failure, and names
# all that failed at the end.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
jobs=${1:-$(nproc)}
failed=()

step() {
    local name=$1
    shift
    echo "lint: $name"
    "$@" || failed+=("$name")
}

format() {
    find src tests bench \( -name '*.c' -o -name '*.h' \) -print0 |
        xargs -0 --no-run-if-empty clang-format --dry-run -Werror
}

# clang-tidy reads clang's flags, so it gets a configuration of its own; one file at a time, since
# version 14 sees uninitialized va_lists in every file but the first.
tidy() {
    CC=clang scripts/build.sh build/tidy help -DMUSTER_FUZZ=ON >/dev/null || return 1
    find src -name '*.c' -print0 |
        xargs -0 --max-args=1 --max-procs="$jobs" \
            clang-tidy -p build/tidy --quiet --warnings-as-errors='*' 2>build/tidy/stderr.log
}

warnings() {
    CC=gcc scripts/build.sh build/werror all -DCMAKE_COMPILE_WARNING_AS_ERROR=ON
}

hardening() {
    scripts/build.sh build muster && scripts/check-hardening.sh build/muster
}

shell() {
    local script
    for script in scripts/*.sh .ci/run; do
        bash -n "$script" || return 1
    done
}

step format format
step layering python3 tests/layering.py
step shell shell
step warnings warnings
step hardening hardening
step tidy tidy

if [ ${#failed[@]} -gt 0 ]; then
    echo "lint: failed: ${failed[*]}" >&2
    exit 1
fi
echo "lint: clean"
