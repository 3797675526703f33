#!/bin/sh
# Runs every file of the fuzz corpus once through its target, and ends with a line that counts them.
# usage: tests/fuzz_corpus.sh BUILD TARGET...   (make fuzz-corpus)
set -u

build=$1
shift
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-halt_on_error=1:print_stacktrace=1}"

passed=0
failed=0
for target in "$@"; do
    for file in tests/corpus/"$target"/*; do
        if "$build/tests/fuzz/$target" "$file"; then
            passed=$((passed + 1))
        else
            echo "FAILED  $file"
            failed=$((failed + 1))
        fi
    done
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
