#!/bin/bash
# The demonstration: both programs on free ports, the two example requests of the original ACME
# orchestrator, what the metrics say afterwards, an orchestrator that is killed and started again, and
# what the referee has seen of it all.
# usage: scenarios/demo.sh [BUILD]   (make demo)
set -euo pipefail

build=${1:-build}
# shellcheck source=scenarios/programs.sh
. "$(dirname "$0")/programs.sh"

if [ -t 1 ]; then bold=$'\033[1m' plain=$'\033[0m' again=$'\r'; else bold='' plain='' again=$'\n'; fi

say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }

# A device of this network installs in a fifth of a second, and none restarts: one whose end is in
# doubt has had time enough after 5 s.
start_orchestrator() {
    start orchestrator --listen "$1" --inventory "$admin/inventory/" --simulator "$admin" \
        --state "$dir/orchestrator.db" --install-timeout 5s --log "$dir/orchestrator.log"
    echo "$ready_line"
    api=${ready_line##* on }
    echo "The page, while this runs: $api/"
    orchestrator=$started
}

# Posts to the orchestrator; meanwhile shows how many hosts are done, from its metrics. Then prints
# the answer as it came, folded, and compares it with what it must be.
upgrade() {
    local body=$1 failed=$2 skipped=$3 completed=$4 answer=$dir/answer before now
    printf '\n$ curl -X POST -H "Content-Type: application/json" -d '"'%s'"' %s/upgrade-os/\n' \
        "$body" "$api"
    before=$(hosts_done)
    curl -sS --fail-with-body -X POST -H "Content-Type: application/json" -d "$body" \
        -o "$answer" "$api/upgrade-os/" &
    local request=$!
    while kill -0 "$request" 2>/dev/null; do
        now=$(hosts_done)
        printf '%d hosts done%s' $((now - before)) "$again"
        read -r -t 0.5 <> <(:) || true
    done
    wait "$request"
    printf '%d hosts done\n' $(($(hosts_done) - before))
    fold -s -w 100 "$answer"
    if ! jq -e --argjson failed "$failed" --argjson skipped "$skipped" \
        --argjson completed "$completed" \
        '.failed == $failed and .skipped == $skipped and (.completed | length) == $completed' \
        "$answer" >/dev/null; then
        echo "demo: wrong answer; expected failed: $failed, skipped: $skipped, completed: $completed" >&2
        exit 1
    fi
}

hosts_done() {
    curl -sS "$api/metrics/" | awk '/^orchestrator_hosts_total/ { n += $2 } END { print n + 0 }'
}

# Shows what the job says of itself until so many hosts have come through: all of them, and it is done.
follow() {
    local job=$1 wanted=$2 counts
    while true; do
        counts=$(curl -sS "$api/jobs/$job/" | jq -c '{state} + .counts')
        jq -e --argjson wanted "$wanted" '.changed + .unchanged >= $wanted and (.state == "done" or .hosts > $wanted)' \
            <<<"$counts" >/dev/null && break
        printf '%s%s' "$counts" "$again"
        read -r -t 0.2 <> <(:) || true
    done
    printf '%s\n' "$counts"
}

say "A network of 848 devices; every delay is a tenth of the real one"
start simulator --devices 127.0.0.1:0 --admin 127.0.0.1:0 --seed 1 --time-scale 0.1
echo "$ready_line"
admin=${ready_line##*admin }
start_orchestrator 127.0.0.1:0

say "Five devices will fail to install; the orchestrator does not know which"
fault='{"match": {"host": ["leaf63.earth", "leaf81.earth", "leaf92.earth", "leaf98.earth",
  "spine00.mars"]}, "on": "install_os_version", "effect": "error"}'
echo "$fault"
curl -sS --fail-with-body -H "Content-Type: application/json" -d "$fault" -o /dev/null "$admin/faults/"

say "Upgrade the site earth: four devices fail, and only the rest of their racks is skipped"
upgrade '{"version": "5.3.1", "filter_dev_sites": ["earth"]}' \
    '["leaf63.earth", "leaf81.earth", "leaf92.earth", "leaf98.earth"]' \
    '["leaf93.earth", "leaf99.earth"]' 100

say "Upgrade all spines: the first spine of mars fails, so the other three of mars are skipped"
upgrade '{"version": "5.3.1", "filter_dev_types": ["spine"]}' \
    '["spine00.mars"]' '["spine01.mars", "spine02.mars", "spine03.mars"]' 28

say "The log lines of the spines of mars"
grep -E 'host:spine0.\.mars' "$dir/orchestrator.log"

say "The metrics of the devices that failed or were skipped"
curl -sS "$api/metrics/" |
    grep -E '^(total_task_requests_total|failed_tasks_total)|^failed_tasks_per_host|^total.*host="(spine0.\.mars|leaf(63|81|9[2389])\.earth)"|^orchestrator_hosts'

# The network sees the end of connections one by one: a login that overtakes that would be a second
# one to its device.
until_connections_are_gone() {
    until [ "$(curl -sS "$admin/metrics/" | awk '/^simulator_connections / { print $2 + 0 }')" = 0 ]; do
        read -r -t 0.05 <> <(:) || true
    done
}

say "Upgrade the four outer sites, and kill the orchestrator in the middle of it"
body='{"version": "5.3.1", "filter_dev_sites": ["jupyter", "saturn", "uranus", "neptune"]}'
printf '\n$ curl -X POST -H "Prefer: respond-async" -H "Content-Type: application/json" -d '"'%s'"' %s/upgrade-os/\n' \
    "$body" "$api"
job=$(curl -sS --fail-with-body -X POST -H "Prefer: respond-async" -H "Content-Type: application/json" \
    -d "$body" "$api/upgrade-os/" | jq -r .id)
printf '$ curl %s/jobs/%s/\n' "$api" "$job"
follow "$job" 100
printf '$ kill -9 %s\n' "$orchestrator"
end "$orchestrator" KILL
until_connections_are_gone

say "Start it again: it asks what became of the devices that it had in hand, and does the rest"
start_orchestrator "${api#http://}"
printf '$ curl %s/jobs/%s/\n' "$api" "$job"
follow "$job" 424
report=$(curl -sS "$api/jobs/$job/report/" | jq -c '{failed, skipped, completed: (.completed | length)}')
echo "$report"
if [ "$report" != '{"failed":[],"skipped":[],"completed":424}' ]; then
    echo "demo: expected 424 completed" >&2
    exit 1
fi

say "What the referee inside the simulated network saw"
audit=$(curl -sS "$admin/audit/?violations")
violations=$(jq '.violations | length' <<<"$audit")
jq -c '{violations, max_in_flight}' <<<"$audit"
if [ "$violations" -ne 0 ]; then
    echo "demo: the referee saw $violations violations" >&2
    exit 1
fi
echo "no violation: two devices of one redundancy group were never worked on at the same time"
