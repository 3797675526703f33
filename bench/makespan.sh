#!/bin/bash
# How near a run comes to what is physically possible: wall time over
#   max(sum of device times / workers, longest redundancy group),
# device times as the simulator saw them (from a device's first login to the answer to its logout).
# usage: bench/makespan.sh [BUILD] [WORKERS] [SEED...]    (848 devices, the seed's latencies)
set -euo pipefail

build=${1:-build}
workers=${2:-100}
shift $(($# < 2 ? $# : 2))
[ $# -gt 0 ] || set -- 1 2 3 4 5
dir=$(mktemp -d)
pids=()

finish() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
    rm -rf "$dir"
}
trap finish EXIT

ready_line=
start() {
    local pipe=$dir/$1.ready
    rm -f "$pipe"
    mkfifo "$pipe"
    "$build/$1" "${@:2}" >"$pipe" &
    pids+=($!)
    read -r ready_line <"$pipe"
}

stop() {
    for pid in "${pids[@]}"; do kill "$pid"; done
    for pid in "${pids[@]}"; do wait "$pid" || true; done
    pids=()
}

# {"total": s, "longest_group": s} from the events and the devices.
# shellcheck disable=SC2016 # jq's variables
times='
  ($devices[0].devices | map({key: .name, value:
      (if .dev_type == "leaf" then "\(.site)_leaf_\(.rack)" else "\(.site)_\(.dev_type)" end)})
    | from_entries) as $group
  | group_by(.host) | map({host: .[0].host, s: ((map(.ms) | max - min) / 1000)})
  | {total: (map(.s) | add),
     longest_group: (group_by($group[.host]) | map(map(.s) | add) | max)}'

printf '%6s %10s %14s %14s %8s\n' seed wall_s total/workers longest_group ratio
for seed in "$@"; do
    start simulator --devices 127.0.0.1:0 --admin 127.0.0.1:0 --seed "$seed"
    admin=${ready_line##*admin }
    start orchestrator --listen 127.0.0.1:0 --inventory "$admin/inventory/" --workers "$workers" \
        --log "$dir/log"
    api=${ready_line##* on }
    wall=$(curl -sS -X POST -H 'Content-Type: application/json' -d '{"version": "5.3.1"}' \
        -o "$dir/report" -w '%{time_total}' "$api/upgrade-os/")
    completed=$(jq '.completed | length' "$dir/report")
    violations=$(curl -sS "$admin/audit/" | jq '.violations | length')
    if [ "$completed" -ne 848 ] || [ "$violations" -ne 0 ]; then
        echo "seed $seed: $completed completed, $violations violations" >&2
        exit 1
    fi
    curl -sS "$admin/devices/" >"$dir/devices"
    curl -sS "$admin/events/?after=0" >"$dir/events"
    jq -r --slurpfile devices "$dir/devices" "$times"' | [.total, .longest_group] | @tsv' \
        "$dir/events" |
        awk -v seed="$seed" -v wall="$wall" -v workers="$workers" '{
            bound = $1 / workers > $2 ? $1 / workers : $2
            printf "%6d %10.2f %14.2f %14.2f %8.3f\n", seed, wall, $1 / workers, $2, wall / bound
        }' | tee -a "$dir/rows"
    stop
done
awk '{ print $5 }' "$dir/rows" | sort -n |
    awk '{ a[NR] = $1 } END { printf "median ratio %.3f\n", NR % 2 ? a[(NR + 1) / 2] : (a[NR / 2] + a[NR / 2 + 1]) / 2 }'
