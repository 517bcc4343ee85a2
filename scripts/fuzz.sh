#!/usr/bin/env bash
# The libFuzzer targets, under AddressSanitizer and UndefinedBehaviorSanitizer.
#
#   fuzz.sh build              builds them
#   fuzz.sh TARGET SECONDS     runs one: TARGET is x_fuzz of src/*/x_fuzz.c
#   fuzz.sh all SECONDS JOBS   builds and runs every one, JOBS at a time
#
# Seeds lie in tests/fuzz/x/, a dictionary may lie beside them as tests/fuzz/x.dict. What a run
# finds worth keeping stays in build/fuzz-corpus/, what breaks a target in build/fuzz-artifacts/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=build/fuzz-build

build_targets() {
    CC=clang scripts/build.sh "$folder" "${*:-fuzzers}" \
        -DMUSTER_FUZZ=ON -DMUSTER_SANITIZE=fuzzer-no-link,address,undefined
}

run_target() {
    local target=$1 seconds=$2
    local name=${target%_fuzz}
    local corpus=build/fuzz-corpus/$name options=() seeds=()

    mkdir -p "$corpus" build/fuzz-artifacts
    [ -d "tests/fuzz/$name" ] && seeds=("tests/fuzz/$name")
    [ -f "tests/fuzz/$name.dict" ] && options=("-dict=tests/fuzz/$name.dict")
    # The time-out is by the wall: a machine that is busy elsewhere must not look like a loop.
    exec "$folder/fuzz/fuzz_$target" "${options[@]}" -max_total_time="$seconds" -timeout=60 \
        -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0 \
        -artifact_prefix="build/fuzz-artifacts/$name-" "$corpus" "${seeds[@]}"
}

case "${1:-}" in
build) build_targets ;;
all)
    build_targets
    find src -name '*_fuzz.c' -printf '%f\n' | sed 's/\.c$//' | sort |
        xargs --no-run-if-empty --max-procs="${3:-2}" -I{} "$0" {} "${2:-600}"
    ;;
*_fuzz) run_target "$1" "${2:-20}" ;;
*)
    echo "usage: $0 build | TARGET SECONDS | all SECONDS JOBS" >&2
    exit 2
    ;;
esac
