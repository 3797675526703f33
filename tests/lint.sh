#!/bin/bash
# Everything that can be said of the sources without running them. Each check prints what it found.
# usage: tests/lint.sh BUILD 'PURE MODULES'   (make lint)
set -uo pipefail

build=$1
pure=$2
mapfile -t sources < <(git ls-files --cached --others --exclude-standard '*.c')
mapfile -t all < <(git ls-files --cached --others --exclude-standard '*.c' '*.h')
failed=0

check() { # NAME COMMAND...
    local name=$1 begun=$SECONDS
    shift
    if "$@"; then
        echo "ok      $((SECONDS - begun)) s  $name"
    else
        echo "FAILED  $((SECONDS - begun)) s  $name"
        failed=1
    fi
}

# gcc warns of more when it optimises, and its objects are those that the programs are made of; clang does
# not.
compiles_with() { # COMPILER BUILD OPTIMISATION
    make --no-print-directory -j"$(nproc)" test-programs CC="$1" BUILD="$2" \
        OPTIMISE="$3" >"$build/lint-$1.out" 2>&1 || { grep -E 'error|warning' "$build/lint-$1.out"; false; }
}

flags() { pkg-config --cflags libuv libmicrohttpd gnutls libcjson yaml-0.1 libcurl sqlite3 libpq libsystemd check; }

# Clang's analyzer takes nineteen parts in twenty of the time. It plays the paths through a function, up
# to so many nodes of them (225000 are its own default), and leaves tests out, which run anyway.
tidy_files() { # OPTION... ; names of files on standard input
    local suites='-DUNIT_TESTS=' ends='-DE2E_TESTS='
    # shellcheck disable=SC2046 # flags are words
    xargs -P "$(nproc)" -n 1 sh -c 'clang-tidy --quiet '"$*"' "$@" -- -std=c17 -D_GNU_SOURCE -I. '"$suites $ends $(flags | tr '\n' ' ')"' 2>/dev/null' tidy
}

tidy() {
    local bad=0 xclang=--extra-arg=-Xclang
    printf '%s\n' "${sources[@]}" | grep -v '^tests/' |
        tidy_files $xclang --extra-arg=-analyzer-config $xclang "--extra-arg=max-nodes=${LINT_NODES:-40000}" || bad=1
    printf '%s\n' "${sources[@]}" | grep '^tests/' | tidy_files "'--checks=-clang-analyzer-*'" || bad=1
    return $bad
}

cppcheck_all() {
    cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr \
        --suppress=missingInclude --suppress=unknownMacro --error-exitcode=1 -D_GNU_SOURCE \
        -D__x86_64__ -I . -j "$(nproc)" "${sources[@]}"
}

formatted() { clang-format --dry-run -Werror "${all[@]}"; }

# Pure modules reach neither the loop nor the HTTP server nor SQLite nor libpq nor GnuTLS nor systemd, not even through a
# header of ours.
pure_includes() {
    local bad=0 module
    for module in $pure; do
        # shellcheck disable=SC2046
        if gcc -MM -MG -std=c17 -D_GNU_SOURCE -I. "$module.c" | grep -qE '[ /](uv|microhttpd|sqlite3|libpq-fe|gnutls/[a-z0-9]+|systemd/[a-z-]+)\.h'; then
            echo "$module.c is pure and includes <uv.h>, <microhttpd.h>, <sqlite3.h>, <libpq-fe.h>, <gnutls/...> or <systemd/...>"
            bad=1
        fi
    done
    return $bad
}

# Only the named shells speak to the libraries themselves.
named_shells() {
    ! grep -lE '^#include <(uv|microhttpd)\.h>' "${all[@]}" | grep -vxE \
        'common/(http(_internal)?|turnstile)\.h|orchestrator/(api|api_events|api_tasks|errands|connection|dial|fetch|main|notify|runner|store)\.[ch]|simulator/(admin|connection|main|server)\.[ch]' &&
        ! grep -lE '^#include <sqlite3\.h>' "${all[@]}" | grep -vxE 'orchestrator/store_sql\.h|tests/unit/check_store_sqlite\.c' &&
        ! grep -lE '^#include <libpq-fe\.h>' "${all[@]}" | grep -vxE 'bench/database\.c|orchestrator/store_pq(_advice)?\.h|tests/lab/postgres\.c' &&
        ! grep -lE '^#include <gnutls/' "${all[@]}" | grep -vxE 'common/(tls\.c|http_tls\.[ch]|http_reads\.c)|orchestrator/access\.c|simulator/device_ca\.c|tests/e2e/check_https\.c|tests/unit/check_tls\.c' &&
        ! grep -lE '^#include <systemd/' "${all[@]}" | grep -vx 'orchestrator/notify\.c'
}

# A module is comfortable up to 400 lines and two modules past 800.
sizes() {
    local bad=0 file lines
    for file in "${all[@]}"; do
        lines=$(wc -l <"$file")
        if [ "$lines" -gt 800 ]; then
            echo "$file has $lines lines: it is two modules"
            bad=1
        fi
    done
    return $bad
}

# Every header can be included alone.
headers_stand_alone() {
    local bad=0 file
    for file in "${all[@]}"; do
        case $file in *.h) ;; *) continue ;; esac
        # shellcheck disable=SC2046
        if ! echo "#include \"$file\"" | gcc -x c -fsyntax-only -std=c17 -D_GNU_SOURCE -I. $(flags) -; then
            bad=1
        fi
    done
    return $bad
}

# It says what a new task takes: the lines that stand in the sources.
diff_of_a_task() {
    sed -n '/^```diff$/,/^```$/p' CONTRIBUTING.md | grep -v '^```' >"$build/task.diff"
    git apply --check --reverse "$build/task.diff"
}

# Of what the two compilers have built above; clang's is not optimised, as a build for a debugger is.
hardening_of() { # BUILD [OPTION]
    tests/hardening.sh "${@:2}" "$1"/{simulator,orchestrator,scenario,bench} >"$build/hardening.out" ||
        { grep -v '^ok' "$build/hardening.out"; false; }
}

hardening() { hardening_of "$build" && hardening_of "$build/lint-clang" --not-optimised; }
hardening_proof() { tests/hardening.sh --prove gcc && tests/hardening.sh --prove clang; }

mkdir -p "$build"
check "gcc, warnings as errors" compiles_with gcc "$build" -O2
check "clang, warnings as errors" compiles_with clang "$build/lint-clang" -O0
check "clang-tidy" tidy
check "cppcheck" cppcheck_all
check "clang-format" formatted
check "pure modules include neither <uv.h> nor <microhttpd.h> nor <sqlite3.h> nor <libpq-fe.h> nor <gnutls/...> nor <systemd/...>" pure_includes
check "only named files include <uv.h>, <microhttpd.h>, <sqlite3.h>, <libpq-fe.h>, <gnutls/...> or <systemd/...>" named_shells
check "every header stands alone" headers_stand_alone
check "no file is past 800 lines" sizes
check "CONTRIBUTING's diff of a task is what stands in the sources" diff_of_a_task
check "programs are hardened" hardening
check "... and a program that is not is noticed" hardening_proof
check "one version, everywhere" tests/version.sh "$build"
check "no circle of files" tests/circles.sh "$build/obj"
exit $failed
