#!/bin/sh
# Runs the test programs of a build folder, and ends with one line that counts all tests.
# usage: tests/run.sh BUILD [PROGRAM...]
set -u

build=$1
shift
[ $# -gt 0 ] || set -- unit e2e
export BUILD="$build"
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-halt_on_error=1:print_stacktrace=1}"
# Check gives a test 4 s, which a machine that is busy with other work does not.
export CK_DEFAULT_TIMEOUT="${CK_DEFAULT_TIMEOUT:-60}"
export TSAN_OPTIONS="${TSAN_OPTIONS:-halt_on_error=1}"

passed=0
failed=0
status=0
for program in "$@"; do
    output="$build/tests/$program.out"
    "$build/tests/$program" >"$output" 2>&1 || status=1
    cat "$output"
    # Check's own summary: "98%: Checks: 120, Failures: 1, Errors: 1"
    counts=$(sed -n 's/^[0-9]*%: Checks: \([0-9]*\), Failures: \([0-9]*\), Errors: \([0-9]*\)$/\1 \2 \3/p' "$output" | tail -n 1)
    if [ -z "$counts" ]; then
        echo "$program: ended without a summary" >&2
        counts="1 0 1"
        status=1
    fi
    # shellcheck disable=SC2086 # three numbers
    set_counts() { checks=$1 bad=$(($2 + $3)); }
    set_counts $counts
    failed=$((failed + bad))
    passed=$((passed + checks - bad))
done
# A test program that fails without a failed test (a leak after its last) fails the run too.
if [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then
    failed=1
fi
echo "$passed passed, $failed failed"
[ "$status" -eq 0 ] && [ "$failed" -eq 0 ]
