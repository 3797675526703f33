#!/bin/bash
# Three orchestrators over one PostgreSQL and one simulated network, in the foreground until Ctrl-C, for trying
# by hand what happens when one of them goes. The database is a server of its own, in a folder that goes with it.
# usage: scenarios/cluster.sh [BUILD]   (make cluster)
set -euo pipefail

build=${1:-build}
# shellcheck source=scenarios/programs.sh
. "$(dirname "$0")/programs.sh"
server=$dir/postgres
end_all() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
    tests/lab/postgres.sh kill "$server"
    rm -rf "$dir"
}
trap end_all EXIT
# shellcheck disable=SC2317 # the trap's
on_signal() {
    echo "ending: hosts in hand come to their end first, a second Ctrl-C waits for nobody"
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
}

set -m # each in a process group of its own: Ctrl-C is for this script
chmod 755 "$dir" # the server may run as another user
mkdir "$server"
state=$(tests/lab/postgres.sh start "$server")
echo "PostgreSQL: $state"
start simulator --devices 127.0.0.1:0 --admin 127.0.0.1:0 --latency 100ms..1s
echo "$ready_line"
admin=${ready_line##*admin }
urls=() nodes=()
for i in 1 2 3; do
    start orchestrator --listen 127.0.0.1:0 --inventory "$admin/inventory/" --simulator "$admin" --state "$state" \
        --log "$dir/orchestrator$i.log" --install-timeout 30s
    urls+=("${ready_line##* on }")
    nodes+=("$started")
    echo "node $i, process $started: ${ready_line##* on }"
done
trap on_signal INT TERM HUP

cat <<END

The page is at ${urls[0]}/, and the same at the two others. The network is shared out within a second (where the
database was started just now, after ten). What to type next, elsewhere:

  curl -s ${urls[1]}/nodes/ | jq
  $build/orchestrator upgrade-os --version 5.3.1 --url ${urls[0]} --url ${urls[1]} --url ${urls[2]}
  kill -9 ${nodes[0]}      # a node dies in the midst of it: the others have its groups within 15 s
  kill -STOP ${nodes[2]}   # one stands still: the kernel ends it before another works on its groups
  curl -s '$admin/audit/?violations' | jq   # what the referee says of it

Ctrl-C ends it
END

while [ ${#pids[@]} -gt 0 ]; do
    wait -n "${pids[@]}" || true
    left=()
    for pid in "${pids[@]}"; do
        if kill -0 "$pid" 2>/dev/null; then left+=("$pid"); else echo "process $pid has ended"; fi
    done
    pids=("${left[@]}")
    [ ${#pids[@]} -gt 1 ] || break # without nodes, or without a network, there is nothing to see
done
