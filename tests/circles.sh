#!/bin/bash
# No two modules need each other, directly or by a detour. A module is x.c with x.h. It needs those
# whose headers it includes, and those that define what it uses: so a circle is also seen where one
# header declares the functions of several files. Prints each circle, and what closes it.
# usage: tests/circles.sh OBJECTS   (the folder of the object files, in the sources' folders)
set -euo pipefail

objects=$1
shopt -s extglob
# What is preloaded into a program stands alone.
sources=({common,orchestrator,simulator,scenarios/runner}/*.c bench/!(slow_disk|turns).c)
headers=({common,orchestrator,simulator,scenarios/runner,bench}/*.h)

# Both print lines of a module, one that it needs, and why.
includes() {
    awk -F '"' '/^#include ".*\.h"/ {
        module = FILENAME
        needed = $2
        sub(/\.[ch]$/, "", module)
        sub(/\.h$/, "", needed)
        if (needed != module) print module, needed, FILENAME " includes " $2
    }' "${sources[@]}" "${headers[@]}"
}

# nm prints "symbol type ...": U is one that is used, any other capital one that is defined.
uses() {
    local source
    for source in "${sources[@]}"; do
        nm -g -P "$objects/${source%.c}.o" | sed "s|^|${source%.c} |" || exit 1
    done | awk '
        $3 == "U" { used[$1, $2] }
        $3 ~ /^[A-TV-Z]$/ && $2 != "main" { home[$2] = $1 }
        END {
            for (pair in used) {
                split(pair, part, SUBSEP)
                module = part[1]
                symbol = part[2]
                if (symbol in home && home[symbol] != module)
                    print module, home[symbol], module ".c uses " symbol " of " home[symbol] ".c"
            }
        }' | sort
}

# Two modules are in one circle where each reaches the other.
circles() {
    awk '
        function visit(start, at,    i) {
            if ((start, at) in reaches) return
            reaches[start, at]
            for (i = 1; i <= count[at]; i++) visit(start, next_of[at, i])
        }
        {
            from[NR] = $1
            to[NR] = $2
            why[NR] = substr($0, length($1 $2) + 3)
            if (!(($1, $2) in seen)) next_of[$1, ++count[$1]] = $2
            seen[$1, $2]
        }
        END {
            for (module in count)
                for (i = 1; i <= count[module]; i++) visit(module, next_of[module, i])
            for (e = 1; e <= NR; e++) {
                first = from[e]
                if (!((first, first) in reaches) || first in told) continue
                print "a circle of files:"
                for (i = e; i <= NR; i++) {
                    if (!((first, from[i]) in reaches) || !((from[i], first) in reaches)) continue
                    if (!((to[i], first) in reaches)) continue
                    told[from[i]]
                    print "    " why[i]
                }
                found = 1
            }
            exit found
        }'
}

edges=$(includes; uses)
circles <<<"$edges"
