#!/bin/bash
# Writes spec/failures.md: what the log says of a device, for each effect on each call. It is taken
# from a run of the scenario below, so that it cannot say what the programs do not. What is said of
# the machine's own faults is in spec/machine_faults.tsv, which tests/e2e/check_machine*.c hold to be
# true.
# usage: tests/failures.sh BUILD   (make failures, from the top folder)
set -euo pipefail

build=$1
scenario=scenarios/faults/190-what-the-log-says.yaml
kept=$build/failures
document=spec/failures.md
machine=spec/machine_faults.tsv

rm -rf "$kept"
mkdir -p "$kept"
"$build/scenario" run "$scenario" --keep "$kept" --json "$kept/result.json" >"$kept/output" || {
    cat "$kept/output" >&2
    exit 1
}

# Rows of effect, operation and text: the rules in their order, each with what was logged last of its
# device. Rules with a name are not rows.
jq -r --rawfile log "$kept"/*/orchestrator.log '
    ([$log | split("\n")[] | capture("completed host:(?<host>[^:]*):(?<text>.*)")
      | {(.host): "`\(.text)`"}] | add) as $said
    | ([$log | split("\n")[] | capture("^WARNING.*completed subtask:(?<host>[^:]*):(?<text>.*)")
      | {(.host): " and, as a warning, `\(.text)`"}] | add) as $warned
    | {outdated: "", restarting: ", after a restart", current: ", with nothing installed"} as $situation
    | .runs[0].faults[].rule | fromjson? | .match.host as $host
    | ([.effect] + [del(.match, .on, .effect, .after) | to_entries[] | "\(.key): \(.value)"]) as $effect
    | (if .after and ($host | endswith(".outdated")) then ", after the install"
       else $situation[$host | split(".")[1]] end) as $when
    | [($effect | join(", ")), .on + $when, $said[$host] + $warned[$host]] | @tsv' "$kept/result.json" >"$kept/rows"
sed -n 's/^X([A-Z_]*, \([a-z_]*\),.*/\1/p' simulator/fault_effects.def | while read -r effect; do
    grep -q "^$effect\b" "$kept/rows" || {
        echo "failures: $scenario has no rule for the effect $effect" >&2
        exit 1
    }
done

{
    cat <<END
# What the log says of a device that fails

\`make failures\` writes this page from a run of \`$scenario\`.
Change that scenario, not this page.

A device that fails is logged as \`ERROR:<time>:<job>:completed host:<device>:<text>\`. The table has the text
for each effect of a fault on each call that it can hit, with \`--call-timeout 2s --install-timeout 5s\`.
A device with the text \`success!!!\` or \`nothing to do!!!\` is completed in spite of the fault.
What the orchestrator does where its own machine fails [stands below](#what-the-orchestrator-does-where-its-own-machine-fails).

| effect | operation | what the log says |
|---|---|---|
END
    awk -F '\t' '{ printf "| %s | %s | %s |\n", $1, $2, $3 }' "$kept/rows"
    cat <<END

## Texts that several effects share
END
    awk -F '\t' '$3 !~ /!!!/ {
            effect = $1
            sub(/,.*/, "", effect)
            if (seen[$3, effect]++) next
            if (!($3 in effects)) order[++count] = $3
            effects[$3] = effects[$3] (effects[$3] == "" ? "" : ", ") effect
        }
        END {
            for (i = 1; i <= count; i++)
                if (effects[order[i]] ~ /,/) printf "- %s: %s\n", order[i], effects[order[i]]
        }' "$kept/rows"
    cat <<END

## What the orchestrator does where its own machine fails

Each row is an end-to-end test (\`tests/e2e/check_machine.c\`, \`check_machine_start.c\`), which reads what must be said
from \`$machine\`. A part in \`<...>\` differs from case to case; what begins with \`orchestrator:\` or \`log\` is on
stderr, the rest in the log. The machine fails while hosts are being installed; after it is well again, each host of the
job has one outcome, which is true of its device, and no device was installed twice.

| fault of the machine | what the orchestrator says | what it does | what you do |
|---|---|---|---|
END
    tail -n +2 "$machine" | awk -F '\t' '{ printf "| %s | %s | %s | %s |\n", $2, $3, $4, $5 }'
} >"$kept/failures.md"
mv "$kept/failures.md" "$document"
