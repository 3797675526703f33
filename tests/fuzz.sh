#!/bin/sh
# Runs the fuzz targets under libFuzzer, one after another, each from its corpus. What it finds
# beyond the corpus stays in BUILD/corpus, and what fails in BUILD/findings.
# usage: tests/fuzz.sh BUILD SECONDS TARGET...   (make fuzz)
set -u

build=$1
seconds=$2
shift 2
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-halt_on_error=1:print_stacktrace=1}"

passed=0
failed=0
mkdir -p "$build/findings"
for target in "$@"; do
    mkdir -p "$build/corpus/$target"
    log="$build/tests/fuzz/$target.log"
    dictionary=
    [ ! -e "tests/fuzz/$target.dict" ] || dictionary="-dict=tests/fuzz/$target.dict"
    # shellcheck disable=SC2086 # one word or none
    if "$build/tests/fuzz/$target" $dictionary -max_total_time="$seconds" -timeout=30 -rss_limit_mb=4096 \
        -max_len=4096 -artifact_prefix="$build/findings/$target-" \
        "$build/corpus/$target" "tests/corpus/$target" >"$log" 2>&1; then
        passed=$((passed + 1))
        echo "ok      $target: $(grep '^Done' "$log"), $(sed -n 's/.* \(cov: [0-9]*\) .*/\1/p' "$log" | tail -n 1)"
    else
        failed=$((failed + 1))
        echo "FAILED  $target"
        tail -n 60 "$log"
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
