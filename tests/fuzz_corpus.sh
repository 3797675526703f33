#!/bin/sh
# Runs every file of the fuzz corpus through its target, all of a target in one process, and ends with
# a line that counts them. Where one fails they are run one by one, to say which.
# usage: tests/fuzz_corpus.sh BUILD TARGET...   (make fuzz-corpus)
set -u

build=$1
shift
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-halt_on_error=1:print_stacktrace=1}"

passed=0
failed=0
for target in "$@"; do
    count=0
    for file in tests/corpus/"$target"/*; do
        [ ! -e "$file" ] || count=$((count + 1))
    done
    if [ "$count" -eq 0 ]; then
        echo "FAILED  $target: tests/corpus/$target has no files"
        failed=$((failed + 1))
    elif "$build/tests/fuzz/$target" tests/corpus/"$target"/* 2>"$build/tests/fuzz/$target.corpus"; then
        passed=$((passed + count))
    else
        cat "$build/tests/fuzz/$target.corpus"
        echo "FAILED  $target, of its files:"
        for file in tests/corpus/"$target"/*; do
            "$build/tests/fuzz/$target" "$file" 2>/dev/null || echo "        $file"
        done
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
