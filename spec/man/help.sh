#!/bin/sh
# --help of a program, or of one of its commands, in the shape that help2man reads; --version likewise. It is
# called by a name of its own, build/man/run/orchestrator-upgrade-os, which says of what.
set -eu

name=${0##*/}
program=${name%%-*}
path=$(dirname "$0")/../../$program
case $1 in
--version) exec echo "$name $("$path" --version | sed 's/.* //')" ;;
esac
case $name in
*-*) set -- "$path" "${name#*-}" --help ;;
*) set -- "$path" --help ;;
esac
# An option is a line, and two spaces at least are between it and what it does.
"$@" | awk '
    function tell() { if (option != "") print option; option = "" }
    /^usage: / { sub(/^usage/, "Usage") }
    /^  [^ ]/ {
        tell()
        option = $0
        if (option ~ /^  --[a-z-]+ [^ ]+ [^ ]/) { match(option, /^  --[a-z-]+ [^ ]+/); option = substr(option, 1, RLENGTH) " " substr(option, RLENGTH + 1) }
        next
    }
    option != "" && /^[^ ]/ { option = option " " $0; next }
    { tell(); print }
    END { tell() }'
