#!/usr/bin/env bash
# Fuzzes every target for some seconds each, two at a time, with libFuzzer on the stable compiler: no panic, no overflow,
# no input that takes ten seconds or a gigabyte. `tests/tools/fuzz.sh [SECONDS] [TARGET…]`
#
# Called by cargo as RUSTC_WRAPPER too: then it compiles, and lets our own crates tell libFuzzer where they have been.
set -euo pipefail
if [ -n "${FUZZ_COMPILES:-}" ]; then
    for argument in "$@"; do
        case "$argument" in
        git_baseline | fuzz_targets/*)
            exec "$@" -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
                -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
                -Cllvm-args=-sanitizer-coverage-trace-compares
            ;;
        esac
    done
    exec "$@"
fi
cd "$(dirname "$0")/../../fuzz"
seconds="${1:-60}"
[ $# -gt 0 ] && shift
# The versions that the program itself is built with, and their artefacts; cargo adds those of libFuzzer.
cp ../Cargo.lock Cargo.lock
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/../target}"
FUZZ_COMPILES=1 RUSTC_WRAPPER="$PWD/../tests/tools/fuzz.sh" cargo build --quiet
targets=("$@")
[ ${#targets[@]} -gt 0 ] || for file in fuzz_targets/*.rs; do targets+=("$(basename "$file" .rs)"); done
folder="$CARGO_TARGET_DIR/debug"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
# What the repository's own tests read is where every target begins.
mkdir "$work/seeds"
find ../tests/sample ../tests/vectors ../tests/it -type f -size -64k ! -name '*.rs' | while read -r file; do
    cp "$file" "$work/seeds/$(echo "$file" | tr / _)"
done
export folder work seconds
fuzz() {
    mkdir -p "$work/$1"
    if "$folder/$1" "$work/$1" "$work/seeds" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -max_len=65536 \
        -artifact_prefix="$work/" >"$work/$1.log" 2>&1; then
        echo "$1: $(grep -o 'Done [0-9]* runs' "$work/$1.log" || echo done), $(grep -o 'cov: [0-9]*' "$work/$1.log" | tail -1)"
    else
        echo "$1: FAILED"
        tail -40 "$work/$1.log"
        for found in "$work"/crash-* "$work"/timeout-* "$work"/oom-*; do [ -e "$found" ] && base64 -w 0 "$found" | head -c 4000; done
        return 1
    fi
}
export -f fuzz
printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I {} bash -c 'fuzz "$@"' _ {}
