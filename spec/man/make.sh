#!/bin/bash
# Makes the man pages of the programs and of their commands, from --help and from the texts beside this file.
# usage: spec/man/make.sh BUILD   (make man, from the top folder)
set -euo pipefail

build=$1
folder=$(dirname "$0")
pages=$build/man
rm -rf "$pages"
mkdir -p "$pages/run"

page() { # NAME SUMMARY
    local include=()
    [ ! -e "$folder/$1.in" ] || include=(--include "$folder/$1.in")
    ln -s "$(realpath "$folder/help.sh")" "$pages/run/$1"
    help2man --no-info --section 1 --manual 'Orchestrator' --source "$source" --name "$2" "${include[@]}" \
        --include "$folder/see-also.in" --output "$pages/$1.1" "$pages/run/$1"
}

commands() { # PROGRAM: a line for each, "COMMAND SUMMARY"
    "$build/$1" --help | sed -nE 's/^  ([a-z][a-z-]*) .*  +([^ ].*)/\1 \2/p; s/^  ([a-z][a-z-]*) (\[OPTION\]\.\.\. )?(\S+) ([a-z].*)/\1 \4/p'
}

source="orchestrator $("$build/orchestrator" --version | sed 's/.* //')"
page orchestrator "upgrade the operating systems of a network's devices"
page simulator "simulate a network of devices that are to be upgraded"
page scenario "play end-to-end tests of upgrades, written in YAML"
page bench "measure and predict upgrades of a network"
for program in orchestrator scenario bench; do
    while read -r command summary; do page "$program-$command" "$summary"; done < <(commands "$program")
done
