#!/bin/bash
# Plants the faults of table.txt into a copy of the sources, one at a time, and plays the scenarios
# against each. One must fail, or the suite would not notice that fault in earnest either.
# usage: tests/mutants/run.sh BUILD [NAME...]   (make mutants, from the top folder)
set -u

build=$1
shift
table=$(dirname "$0")/table.txt
tree=$build/mutants/tree
output=$build/mutants/output
timeout=20s # for one scenario: this is what catches a mutant that hangs

fail() {
    echo "mutants: $*" >&2
    exit 1
}

# --- the table

names=()
declare -A breaks likely edits # by name: what it breaks, the classes to play first, its lines

read_table() {
    local line name='' classes=''
    while IFS= read -r line; do
        case $line in
        '' | '#'*) ;;
        'classes '*) classes=${line#classes } ;;
        'mutant '*)
            name=${line#mutant }
            name=${name%%:*}
            names+=("$name")
            breaks[$name]=${line#*: } likely[$name]=$classes edits[$name]=''
            ;;
        *) edits[$name]+=$line$'\n' ;;
        esac
    done <"$table"
}

# --- the copy of the sources

# With their objects, so that only what a mutant changes is compiled.
copy_tree() {
    rm -rf "$tree"
    mkdir -p "$tree/build"
    cp -a Makefile common orchestrator spec "$tree"
    cp -a "$build/obj" "$tree/build"
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

compile() {
    make -C "$tree" --no-print-directory -s BUILD=build WARNINGS=-w build/orchestrator >"$output" 2>&1
}

# --- the verdict

play() { # FOLDER
    "$build/scenario" run "scenarios/$1" --jobs 4 --fail-fast --timeout "$timeout" \
        --orchestrator "$tree/build/orchestrator" >"$output" 2>&1
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
judge() {
    local name=$1 started=$SECONDS status=0 folder
    if ! plant "${edits[$name]}"; then
        not_caught "$name" 0 'its old text does not occur exactly once'
        return
    fi
    if ! compile; then
        not_caught "$name" 0 'it does not compile'
        cat "$output" >&2
        return
    fi
    for folder in ${likely[$name]} ''; do
        play "$folder"
        status=$?
        [ "$status" -eq 0 ] || break
    done
    if [ "$status" -eq 1 ]; then
        passed=$((passed + 1))
        tell caught "$name" $((SECONDS - started)) \
            "$(sed -n 's/^FAILED *[^ ]* *scenarios.\([^ ]*\.yaml\):.*/\1/p' "$output" | head -n 1)"
    else
        not_caught "$name" $((SECONDS - started)) "by no scenario: ${breaks[$name]}"
    fi
}

[ -x "$build/scenario" ] || fail "$build/scenario is not built; try 'make mutants'"
read_table
for name in "$@"; do
    [ -n "${breaks[$name]+known}" ] || fail "$name: there is no such mutant in $table"
done
[ $# -eq 0 ] || names=("$@")
copy_tree
compile || { cat "$output"; fail 'the sources do not compile'; }
play '' || { tail -n 40 "$output"; fail 'the suite must pass before it is asked to fail'; }
for name in "${names[@]}"; do
    judge "$name"
    restore "${edits[$name]}"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
