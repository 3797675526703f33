#!/bin/bash
# Plants faults into a copy of the sources, one at a time. Against those of table.txt it plays the
# scenarios, against those of table-inner.txt it runs unit and end-to-end suites, against those of
# table-histories.txt and table-nodes.txt histories on a virtual clock, against those of
# table-torture.txt rounds of torture. One must fail, or the suite would not notice that fault in earnest either.
# usage: tests/mutants/run.sh BUILD [table|table-inner|table-histories|table-nodes|table-torture|NAME...]
# (make mutants, from the top folder)
set -u

[ -n "${TEST_POSTGRES:-}" ] || exec tests/lab/postgres.sh run "$0" "$@"
build=$1
shift
folder=$(dirname "$0")
tree=$build/mutants/tree
output=$build/mutants/output
timeout=20s # for one scenario: this is what catches a mutant that hangs
suite_timeout=${SUITE_TIMEOUT:-120s} # likewise, for a suite

fail() {
    echo "mutants: $*" >&2
    exit 1
}

# --- the table

names=()
# By name: its table, what it breaks, the classes to play first, the suites to run, its lines.
declare -A table breaks likely suites edits

read_table() { # NAME
    local line name='' classes='' concerned=''
    while IFS= read -r line; do
        case $line in
        '' | '#'*) ;;
        'classes '*) classes=${line#classes } ;;
        'suites '*) concerned=${line#suites } ;;
        'mutant '*)
            name=${line#mutant }
            name=${name%%:*}
            names+=("$name")
            table[$name]=$1 breaks[$name]=${line#*: } edits[$name]=''
            likely[$name]=$classes suites[$name]=$concerned
            ;;
        *) edits[$name]+=$line$'\n' ;;
        esac
    done <"$folder/$1.txt"
}

# --- the copy of the sources

# With their objects, so that only what a mutant changes is compiled.
copy_tree() {
    rm -rf "$tree"
    mkdir -p "$tree/build/asan"
    cp -a Makefile bench common orchestrator scenarios simulator spec tests "$tree"
    cp -a "$build/obj" "$tree/build"
    [ ! -d "$build/asan/obj" ] || cp -a "$build/asan/obj" "$tree/build/asan"
    [ ! -d build/swagger-ui ] || cp -a build/swagger-ui "$tree/build" # else two that compile fetch it at once
}

# $1: a file; $2: text that occurs in it exactly once; $3: what stands there instead.
replace() {
    local text rest
    text=$(cat "$tree/$1" && echo .) || return 1 # the dot keeps the newlines at the end
    rest=${text//"$2"/}
    [ $((${#text} - ${#rest})) -eq ${#2} ] || return 1
    text=${text/"$2"/"$3"}
    printf '%s' "${text%.}" >"$tree/$1"
}

# Carries out a mutant's lines. A place is some lines -old and the lines +new behind them.
plant() {
    local line file='' old='' new=''
    while IFS= read -r line; do
        if [ -n "$new" ] && [ "${line:0:1}" != + ]; then
            replace "$file" "${old%$'\n'}" "${new%$'\n'}" || return 1
            old='' new=''
        fi
        case $line in
        'file '*) file=${line#file } ;;
        -*) old+=${line#-}$'\n' ;;
        +*) new+=${line#+}$'\n' ;;
        esac
    done <<<"$1"
}

restore() {
    local word file
    while read -r word file; do
        [ "$word" != file ] || cp "$file" "$tree/$file" # with a new time: it is compiled again
    done <<<"$1"
}

compile() { # TARGET...
    make -C "$tree" --no-print-directory -s -j"$(nproc)" BUILD=build WARNINGS=-w "$@" >"$output" 2>&1
}

# What a suite needs: the unit tests have all that they test in them.
targets_of() { # SUITE...
    case " $* " in
    *' e2e:'*) echo programs bench-programs build/tests/unit build/tests/e2e ;;
    *' unit:'*) echo build/tests/unit ;;
    esac
    case " $* " in
    *' histories:'* | *' nodes:'*) echo build/tests/histories ;;
    esac
    case " $* " in
    *' torture:'*) echo torture-programs ;;
    esac
}

# --- the verdict

play() { # FOLDER
    "$build/scenario" run "scenarios/$1" --jobs 4 --fail-fast --timeout "$timeout" \
        --orchestrator "$tree/build/orchestrator" >"$output" 2>&1
}

# A suite is unit:NAME or e2e:NAME, or histories:COUNT, or torture:MINUTES. Exit code 1: a test failed,
# which is what counts; so does one that took the program down, for most suites run in one process.
run_suite() {
    local status=0 program=build/tests/${1%%:*} arguments='' patience=$suite_timeout
    case $1 in
    histories:*) arguments="--find ${1#*:} 1" ;;
    nodes:*) program=build/tests/histories arguments="--nodes --find ${1#*:} 1" ;;
    torture:*) program=build/asan/torture arguments="${1#*:} 1" patience=600s ;;
    esac
    # shellcheck disable=SC2086 # three arguments
    (cd "$tree" && BUILD=build CK_RUN_SUITE=${1#*:} timeout "$patience" "$program" $arguments) \
        >"$output" 2>&1 || status=$?
    grep -qE 'Checks: [1-9]|^histories: [1-9]|^torture: from' "$output" || [ "$status" -ne 0 ] ||
        status=2 # there is no such suite
    [ "$status" -ne 124 ] && [ "$status" -lt 128 ] || status=1
    return "$status"
}

passed=0 failed=0
tell() { # VERDICT NAME SECONDS TEXT
    printf '%-8s %-28s %3d s  %s\n' "$@"
}

not_caught() { # NAME SECONDS TEXT
    failed=$((failed + 1))
    tell FAILED "$@"
}

# The likely classes first, one by one, then all. Only a scenario that fails counts (exit code 1), not
# one that could not be played.
play_against() { # NAME
    local status=0 classes
    for classes in ${likely[$1]} ''; do
        play "$classes"
        status=$?
        [ "$status" -eq 0 ] || break
    done
    [ "$status" -eq 1 ] || return 1
    sed -n 's/^FAILED *[^ ]* *scenarios.\([^ ]*\.yaml\):.*/\1/p' "$output" | head -n 1
}

run_against() { # NAME
    local status=0 suite
    for suite in ${suites[$1]}; do
        run_suite "$suite"
        status=$?
        [ "$status" -eq 0 ] || break
    done
    [ "$status" -eq 1 ] || return 1
    if grep -q '^torture: ' "$output"; then
        sed -n 's/^\(seed [0-9]*\): .*/\1/p' "$output" | head -n 1 | tr -d '\n'
        sed -n '2,$s/^  \([^ ].*\)/: \1/p' "$output" | head -n 1 | cut -c 1-120
        return
    fi
    if grep -q '^histories: seed' "$output"; then
        sed -n 's/^histories: \(seed [^:]*\):*/\1/p; s/^broken: [^:]*: /  /p' "$output" | tr -d '\n'
        return
    fi
    grep -q '^[^ ]*:[0-9]*:[A-Z]:' "$output" || { grep -o 'Assertion.*' "$output" | head -n 1; return; }
    sed -n 's/^[^ ]*:[0-9]*:[A-Z]:[^:]*:\([a-z0-9_]*\):.*/\1/p' "$output" | head -n 1
}

judge() {
    local name=$1 started=$SECONDS by targets=build/orchestrator against=play_against
    if [ "${table[$name]}" != table ]; then
        targets=$(targets_of "${suites[$name]}") against=run_against
    fi
    if ! plant "${edits[$name]}"; then
        not_caught "$name" 0 'its old text does not occur exactly once'
        return
    fi
    # shellcheck disable=SC2086 # several targets
    if ! compile $targets; then
        not_caught "$name" 0 'it does not compile'
        cat "$output" >&2
        return
    fi
    if by=$("$against" "$name"); then
        passed=$((passed + 1))
        tell caught "$name" $((SECONDS - started)) "$by"
    else
        not_caught "$name" $((SECONDS - started)) "by nothing: ${breaks[$name]}"
    fi
}

# Unless the suite passes without a fault, it proves nothing that it fails with one.
must_pass() {
    local name suite plays='' runs=''
    for name in "${names[@]}"; do
        [ "${table[$name]}" = table ] && plays=yes || runs+=" ${suites[$name]}"
    done
    # shellcheck disable=SC2046,SC2086 # several targets
    compile build/orchestrator $([ -z "$runs" ] || targets_of $runs) ||
        { cat "$output"; fail 'the sources do not compile'; }
    [ -z "$plays" ] || play '' || { tail -n 40 "$output"; fail 'the scenarios must pass'; }
    # shellcheck disable=SC2086 # several suites
    for suite in $(printf '%s\n' $runs | sort -u); do
        run_suite "$suite" || { tail -n 40 "$output"; fail "$suite must pass"; }
    done
}

[ -x "$build/scenario" ] || fail "$build/scenario is not built; try 'make mutants'"
read_table table
read_table table-inner
read_table table-histories
read_table table-nodes
read_table table-torture
chosen=()
for word in "$@"; do
    if [ -n "${breaks[$word]+known}" ]; then
        chosen+=("$word")
    elif [ -f "$folder/$word.txt" ]; then
        for name in "${names[@]}"; do
            [ "${table[$name]}" != "$word" ] || chosen+=("$name")
        done
    else
        fail "$word: there is no such mutant"
    fi
done
[ $# -eq 0 ] || names=("${chosen[@]}")
copy_tree
must_pass
for name in "${names[@]}"; do
    judge "$name"
    restore "${edits[$name]}"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
