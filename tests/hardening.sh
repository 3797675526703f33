#!/bin/bash
# Looks into programs, whatever built them, for what makes a fault in memory end the process and be of no
# use to anybody. Says of each program what holds, and what is missing.
# usage: tests/hardening.sh [--not-optimised] PROGRAM...   (make lint)
#        tests/hardening.sh --prove CC    whether it notices what is missing: a program is built without each
set -euo pipefail

# --- what must hold; each is told a program, and finds what readelf says of it in $folder

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# The names of properties, in the order in which they are told.
properties=(pie relro now no-exec-stack no-exec-data no-text-relocations no-run-path stack-protector fortify
    every-object-stack-protector every-object-stack-clash every-object-pie every-object-control-flow)
declare -A means=(
    [pie]="loaded at an address that nobody knows (-fPIE -pie)"
    [relro]="what the linker has filled in is read-only (-z relro)"
    [now]="... all of it, before the program begins (-z now)"
    [no-exec-stack]="no stack can be executed (-z noexecstack)"
    [no-exec-data]="nothing that can be written can be executed"
    [no-text-relocations]="no code is changed at the start"
    [no-run-path]="libraries come from the system alone"
    [stack-protector]="a return address that was overwritten is noticed (-fstack-protector-strong)"
    [fortify]="functions of the C library know the sizes of buffers (_FORTIFY_SOURCE)"
    [every-object-stack-protector]="-fstack-protector-strong, in each object"
    [every-object-stack-clash]="-fstack-clash-protection, in each object"
    [every-object-pie]="-fPIE, in each object"
    [every-object-control-flow]="-fcf-protection, in each object"
)

read_program() { # PROGRAM
    [ -r "$1" ] || { echo "hardening: $1 is not there" >&2; exit 2; }
    readelf -hW "$1" >"$folder/header"
    readelf -lW "$1" >"$folder/segments"
    readelf -dW "$1" >"$folder/dynamic"
    readelf -W --dyn-syms "$1" >"$folder/symbols"
    readelf -W --debug-dump=info --dwarf-depth=1 "$1" 2>/dev/null | grep -F DW_AT_producer >"$folder/objects" || true
}

machine() { sed -n 's/^ *Machine: *//p' "$folder/header"; }

# Each object says what it was compiled with; of options that contradict one another the last holds.
every_object() { # ALTERNATIVES WANTED: extended regular expressions of a whole option
    awk -v alternatives="^($1)\$" -v wanted="^($2)\$" '
        { last = ""; for (i = 1; i <= NF; i++) if ($i ~ alternatives) last = $i }
        last !~ wanted { bad = 1 }
        END { exit bad || NR == 0 }' "$folder/objects"
}

holds() { # PROPERTY
    case $1 in
    pie) grep -qE 'Type: *DYN' "$folder/header" && grep -qE '\(FLAGS_1\).*\bPIE\b' "$folder/dynamic" ;;
    relro) grep -q GNU_RELRO "$folder/segments" ;;
    now) grep -qE '\(FLAGS_1\).*\bNOW\b' "$folder/dynamic" ;;
    no-exec-stack) grep -qE 'GNU_STACK .* RW ' "$folder/segments" ;;
    no-exec-data) ! grep -qE '(LOAD|GNU_STACK) .* RWE ' "$folder/segments" ;;
    no-text-relocations) ! grep -q TEXTREL "$folder/dynamic" ;;
    no-run-path) ! grep -qE '\((RPATH|RUNPATH)\)' "$folder/dynamic" ;;
    stack-protector) grep -qw __stack_chk_fail "$folder/symbols" ;;
    fortify) $not_optimised || grep -qE '\b__[a-z]+_chk\b' <(grep -vw __stack_chk_fail "$folder/symbols") ;;
    every-object-stack-protector) every_object '-f(no-)?stack-protector.*' '-fstack-protector-(strong|all)' ;;
    every-object-stack-clash) every_object '-f(no-)?stack-clash-protection' -fstack-clash-protection ;;
    every-object-pie) every_object '-f(no-)?(PIE|PIC|pie|pic)' '-f(PIE|PIC|pie|pic)' ;;
    every-object-control-flow) # where the processor can look after it
        case $(machine) in
        *X86-64*) every_object '-fcf-protection.*' '-fcf-protection(=full)?' ;;
        AArch64) every_object '-mbranch-protection=.*' '-mbranch-protection=standard' ;;
        esac
        ;;
    esac
}

not_optimised=false

check() { # PROGRAM: ends with 1 where something is missing; $missing has what
    local property
    missing=()
    read_program "$1"
    for property in "${properties[@]}"; do
        if holds "$property"; then
            printf 'ok       %s: %-30s %s\n' "$1" "$property" "${means[$property]}"
        else
            printf 'MISSING  %s: %-30s %s\n' "$1" "$property" "${means[$property]}"
            missing+=("$property")
        fi
    done
    [ ${#missing[@]} -eq 0 ]
}

# --- whether it notices

# shellcheck disable=SC2054 # the linker's own
all_options=(-g -O2 -grecord-gcc-switches -fPIE -pie -fstack-protector-strong -fstack-clash-protection -U_FORTIFY_SOURCE
    -D_FORTIFY_SOURCE=2 -Wl,-z,relro,-z,now,-z,noexecstack)

expect_missing() { # WHAT OPTION... ; WHAT: the properties that are missing then
    local what=$1
    shift
    "$cc" -o "$folder/program" "$folder/program.c" "${all_options[@]}" "$@"
    check "$folder/program" >"$folder/said" || true
    if [ "${missing[*]}" != "$what" ]; then
        echo "hardening: with $*: missing is '${missing[*]}', expected '$what'" >&2
        cat "$folder/said" >&2
        exit 1
    fi
}

prove() { # CC
    local control_flow=every-object-control-flow
    cc=$1
    cat >"$folder/program.c" <<'END'
#include <stdio.h>
#include <string.h>
int main(int argc, char **argv) {
    char text[64];
    strcpy(text, argv[argc - 1]);
    return puts(text);
}
END
    echo 'int other(void) { return 1; }' >"$folder/other.c"
    case $("$cc" -dumpmachine) in
    x86_64-*) all_options+=(-fcf-protection=full) ;;
    aarch64-*) all_options+=(-mbranch-protection=standard) ;;
    *) control_flow='' ;;
    esac
    expect_missing ''
    expect_missing 'pie every-object-pie' -fno-PIE -no-pie
    expect_missing 'relro' -Wl,-z,norelro
    expect_missing 'now' -Wl,-z,lazy
    expect_missing 'no-exec-stack no-exec-data' -Wl,-z,execstack
    expect_missing 'no-run-path' -Wl,-rpath,/nowhere
    expect_missing 'stack-protector every-object-stack-protector' -fno-stack-protector
    expect_missing 'fortify' -U_FORTIFY_SOURCE
    expect_missing 'every-object-stack-clash' -fno-stack-clash-protection
    [ "${all_options[-1]}" != -fcf-protection=full ] || expect_missing "$control_flow" -fcf-protection=none
    # One object among others is enough.
    "$cc" -c -g -O2 -grecord-gcc-switches -fPIE -fno-stack-protector -o "$folder/other.o" "$folder/other.c"
    expect_missing "every-object-stack-protector every-object-stack-clash${control_flow:+ $control_flow}" "$folder/other.o"
    echo "hardening: notices each of them ($cc)"
}

case ${1:-} in
--prove) prove "${2:-gcc}" && exit 0 ;;
--not-optimised) not_optimised=true && shift ;;
esac
status=0
for program in "$@"; do check "$program" || status=1; done
exit $status
