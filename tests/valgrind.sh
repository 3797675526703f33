#!/bin/sh
# Runs the unit tests and one upgrade of the whole network under valgrind's memcheck, which sees what
# the sanitizers do not: a value that nobody has set. The upgrade must leave no block behind, either;
# what unit tests leave behind, the sanitizers tell.
# usage: tests/valgrind.sh BUILD   (a build without sanitizers; make valgrind, from the top folder)
set -u

[ -n "${TEST_POSTGRES:-}" ] || exec tests/lab/postgres.sh run "$0" "$@"
build=$(cd "$1" && pwd) || exit 2
out=$build/valgrind
rm -rf "$out" && mkdir -p "$out"
common="--quiet --error-exitcode=9"
leaks="--leak-check=full --show-leak-kinds=definite,indirect --errors-for-leak-kinds=definite,indirect"
failed=0

# Each suite in one process, for to fork under valgrind takes a second; but for mem, which has a process
# end in an assertion.
# shellcheck disable=SC2016 # the inner shell's variables
"$build/tests/unit" --suites | xargs -P "$(nproc)" -I '{}' sh -c \
    '[ "$1" = mem ] && fork=yes || fork=no
    CK_FORK=$fork CK_RUN_SUITE=$1 valgrind '"$common"' --leak-check=no "$2" >"$3/$1.out" 2>&1 ||
        echo "$1" >>"$3/failed"' memcheck '{}' "$build/tests/unit" "$out"
if [ -e "$out/failed" ]; then
    while read -r suite; do
        echo "FAILED  unit: $suite"
        head -n 20 "$out/$suite.out"
    done <"$out/failed"
    failed=1
else
    echo "ok      unit: $("$build/tests/unit" --suites | wc -l) suites"
fi

for program in orchestrator simulator; do
    {
        echo '#!/bin/sh'
        echo "exec valgrind $common $leaks --log-file=$out/upgrade.$program.%p $build/$program \"\$@\""
    } >"$out/$program"
    chmod +x "$out/$program"
done
if "$build/scenario" run scenarios/acme/050-whole-network.yaml --timeout 900s \
    --orchestrator "$out/orchestrator" --simulator "$out/simulator" >"$out/upgrade.out" 2>&1; then
    echo "ok      an upgrade of the whole network"
else
    echo "FAILED  an upgrade of the whole network"
    head -n 40 "$out"/upgrade.*
    failed=1
fi
exit $failed
