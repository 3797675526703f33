#!/bin/sh
# Runs the test programs of a build folder, and ends with one line that counts all tests. Their suites
# run beside one another, TEST_JOBS at a time: most of them wait most of the time.
# HISTORIES histories count as one test. One PostgreSQL server is there for all of them.
# usage: tests/run.sh BUILD [histories|browser|e2e|unit...]
set -u

build=$1
shift
[ $# -gt 0 ] || set -- histories e2e unit
[ -n "${TEST_POSTGRES:-}" ] || exec tests/lab/postgres.sh run "$0" "$build" "$@"
export BUILD="$build"
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-halt_on_error=1:print_stacktrace=1}"
# Check gives a test 4 s, which a machine that is busy with other work does not.
export CK_DEFAULT_TIMEOUT="${CK_DEFAULT_TIMEOUT:-60}"
export CK_TIMEOUT_MULTIPLIER="${CK_TIMEOUT_MULTIPLIER:-4}" # of those that a test set has set itself
export TSAN_OPTIONS="${TSAN_OPTIONS:-halt_on_error=1}"
jobs=${TEST_JOBS:-$((2 * $(nproc)))}

passed=0
failed=0
# The tests of the page wait more than they work: they run beside the others.
programs=
browser=
for program in "$@"; do
    if [ "$program" = browser ]; then
        tests/browser.sh "$build" >"$build/tests/browser.out" 2>&1 &
        browser=$!
    else
        programs="$programs $program"
    fi
done
if [ "${programs#* histories}" != "$programs" ]; then
    programs=$(echo "$programs" | sed 's/ histories//')
    if "$build/tests/histories" "${HISTORIES:-1000}" 1 >"$build/tests/histories.out" 2>&1 &&
        "$build/tests/histories" --nodes "$((${HISTORIES:-1000} / 5))" 1 >"$build/tests/histories.out" 2>&1; then
        passed=$((passed + 1))
    else
        cat "$build/tests/histories.out"
        failed=$((failed + 1))
    fi
fi
# Lines of a program and one of its suites. The first is named first on the command line, for it takes longest.
suites() {
    for program in $programs; do
        "$build/tests/$program" --suites | sed "s/^/$program /"
    done
}
for program in $programs; do
    rm -rf "$build/tests/$program.out"
    mkdir -p "$build/tests/$program.out"
done
# On a terminal one line says how many suites have ended: the whole takes minutes.
export TEST_SUITES=
[ ! -t 2 ] || TEST_SUITES=$(suites | wc -l)
: >"$build/tests/ended"
[ -z "$TEST_SUITES" ] || printf '\r0 of %s suites' "$TEST_SUITES" >&2
# A suite's exit code stands behind what it wrote: a leak after the last test fails it, too.
# shellcheck disable=SC2016 # the inner shell's variables
suites | xargs -r -P "$jobs" -L 1 sh -c \
    'CK_RUN_SUITE=$2 "$0/$1" >"$0/$1.out/$2" 2>&1; echo "exit code $?" >>"$0/$1.out/$2"
     echo "$1 $2" >>"$0/ended"
     [ -z "$TEST_SUITES" ] || printf "\r%s of %s suites" "$(wc -l <"$0/ended")" "$TEST_SUITES" >&2' "$build/tests"
[ -z "$TEST_SUITES" ] || printf '\r\033[K' >&2
set_counts() { checks=$1 bad=$(($2 + $3)); }
for output in $(suites | sed "s|\(.*\) \(.*\)|$build/tests/\1.out/\2|"); do
    # Check's own summary: "98%: Checks: 120, Failures: 1, Errors: 1"
    counts=$(sed -n 's/^[0-9]*%: Checks: \([0-9]*\), Failures: \([0-9]*\), Errors: \([0-9]*\)$/\1 \2 \3/p' "$output" | tail -n 1)
    # shellcheck disable=SC2086 # three numbers
    set_counts ${counts:-1 0 1}
    [ "$checks" -gt 0 ] || bad=1 # no suite has this name
    [ "$bad" -gt 0 ] || grep -q '^exit code 0$' "$output" || bad=1
    [ "$bad" -eq 0 ] || cat "$output"
    failed=$((failed + bad))
    passed=$((passed + checks - bad))
done
if [ -n "$browser" ]; then
    output="$build/tests/browser.out"
    bad=0
    wait "$browser" || { cat "$output"; bad=1; }
    # The summaries of Node's test runner: "# pass 12", "# fail 0"
    sum() { awk -v what="$1" '$1 == "#" && $2 == what { n += $3 } END { print n + 0 }' "$output"; }
    passed=$((passed + $(sum pass)))
    [ "$(sum fail)" -eq 0 ] || bad=$(sum fail)
    failed=$((failed + bad))
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
