#!/bin/sh
# Runs the unit tests and one upgrade of the whole network under valgrind's memcheck: each error, and
# each block that nobody frees, fails it.
# usage: tests/valgrind.sh BUILD   (a build without sanitizers; make valgrind, from the top folder)
set -u

build=$(cd "$1" && pwd) || exit 2
log=$build/valgrind
rm -rf "$log" && mkdir -p "$log"
failed=0

check() { # NAME COMMAND...
    name=$1
    shift
    if "$@" >"$log/$name.out" 2>&1; then
        echo "ok      $name"
    else
        echo "FAILED  $name: see $log"
        grep -hE '==[0-9]+== (ERROR SUMMARY: [1-9]|Invalid|Conditional|Use of|Syscall)|definitely lost|: [EF]:' "$log/$name".* | head -n 20
        failed=1
    fi
}

# Without forks: what a test leaves behind is a leak of the whole. %p: each process has a file.
memcheck() {
    valgrind --quiet --error-exitcode=9 --leak-check=full --show-leak-kinds=definite,indirect \
        --errors-for-leak-kinds=definite,indirect --suppressions=tests/valgrind.supp "$@"
}

for suite in $("$build/tests/unit" --suites); do
    CK_RUN_SUITE=$suite
    CK_FORK=no
    export CK_RUN_SUITE CK_FORK
    check "unit-$suite" memcheck "$build/tests/unit"
done
unset CK_RUN_SUITE CK_FORK

for program in orchestrator simulator; do
    printf '#!/bin/sh\nexec valgrind --quiet --error-exitcode=9 --leak-check=full --log-file=%s \\\n    --show-leak-kinds=definite,indirect --errors-for-leak-kinds=definite,indirect \\\n    --suppressions=%s %s "$@"\n' \
        "$log/upgrade.$program.%p" "$PWD/tests/valgrind.supp" "$build/$program" >"$log/$program"
    chmod +x "$log/$program"
done
check upgrade "$build/scenario" run scenarios/acme/050-whole-network.yaml --timeout 600s \
    --orchestrator "$log/orchestrator" --simulator "$log/simulator"
[ "$failed" -eq 0 ]
