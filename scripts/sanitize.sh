#!/usr/bin/env bash
# The tests again, on builds that watch memory, undefined behaviour and threads.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python="$PWD/build/venv/bin/python3"

# With more random bits than this ThreadSanitizer finds its shadow memory taken.
fixed_addresses=()
if setarch -R true 2>/dev/null; then
    fixed_addresses=(setarch -R)
fi

run() {
    local folder=$1 sanitizers=$2 tests=$3
    CC=gcc scripts/build.sh "$folder" all "-DMUSTER_SANITIZE=$sanitizers" "-DMUSTER_PYTHON=$python"
    "${fixed_addresses[@]}" ctest --test-dir "$folder" --parallel 2 --output-on-failure \
        --no-tests=error --tests-regex "$tests"
}

export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0:exitcode=99:strict_string_checks=1
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=exitcode=99:second_deadlock_stack=1

run build/sanitize-address address,undefined '^(unit|wire)\.'
run build/sanitize-thread thread '^unit\.(net|store|bus|stream|hub)\.|^wire\.takeover'
