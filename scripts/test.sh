#!/usr/bin/env bash
# test.sh BUILD: runs all tests, checks that docs/conformance.md tells what they found, and ends
# with ctest's closing lines.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build=${1:?usage: $0 BUILD}
log="$build/ctest.log"
jobs=${CTEST_JOBS:-2}

rm -rf "$build/results"
mkdir -p "$build/results"

result=0
ctest --test-dir "$build" --parallel "$jobs" --output-on-failure --no-tests=error 2>&1 |
    tee "$log" || result=1

if ! python3 scripts/conformance.py "$build/results" "$build/conformance.md"; then
    result=1
elif ! diff -u docs/conformance.md "$build/conformance.md"; then
    echo "docs/conformance.md does not tell what the tests found: run 'make conformance'"
    result=1
fi

echo
sed -n '/% tests passed/,$p' "$log"
exit $result
