#!/bin/sh
# matrix.sh BUILD: plays scenarios/crash/ with an orchestrator that is killed at each of its effects
# (effects.c), and started again each time; then each with a second kill while the job is taken up.
set -eu
build=$(cd "$1" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export CRASH_ORCHESTRATOR="$build/orchestrator" CRASH_EFFECTS="$build/tests/crash/effects.so"

# play NAME CRASHES SCENARIO: a scenario of that name, with one run for each of the crashes.
play() {
    sed "s/^matrix: .*/matrix: {crash: [$2]}/" "$3" >"$dir/$1.yaml"
    # An install that was not sent is tried twice, and so may fail after two kills.
    case $2 in *,*\"*) sed -i '/# killed once$/d' "$dir/$1.yaml" ;; esac
    "$build/scenario" run "$dir/$1.yaml" --jobs 4 --orchestrator "$build/tests/crash/supervisor" \
        --keep "$dir/$1" >"$dir/$1.out" || { grep -v '^ok ' "$dir/$1.out"; exit 1; }
}
kills() { find "$dir/$1" -name kills -exec cat {} + | wc -l; }
effects() { find "$dir/$1" -name effects -exec cat {} + | sort -n | tail -1; }

# N,M: a first kill at each effect, and a second at each effect that its successor has, by turns.
pairs() { seq 1 "$1" | awk -v resumed="$2" '{ printf "%s\"%d,%d\"", n++ ? ", " : "", $1, ($1 * 37) % resumed + 1 }'; }

for scenario in scenarios/crash/*.yaml; do
    name=$(basename "$scenario" .yaml)
    play "$name-none" 0 "$scenario"
    count=$(effects "$name-none")
    play "$name-once" "$(seq -s, 1 "$count")" "$scenario"
    echo "$name: killed $(kills "$name-once") times, at each of $count effects: every host one true outcome"
    # A kill in the middle leaves a middling resume.
    play "$name-resumed" "$((count / 2))" "$scenario"
    resumed=$(effects "$name-resumed")
    play "$name-twice" "$(pairs "$count" "$resumed")" "$scenario"
    echo "$name: killed $(kills "$name-twice") times, twice in each of $count runs: every host one true outcome"
done
