#!/bin/bash
# Holds spec/prometheus/ and the Grafana dashboard against real runs, with a real Prometheus. Each run
# has programs of its own, and calls for one alert: that one must fire, and no other. One more run has
# something of everything: each query of the dashboard and each recording rule must return data.
#
# Prometheus gets copies of prometheus.yml and rules.yml in which ports are others, and time is short:
# it asks every second, and a minute of `for:` lasts three. (Seven more: so long it may need to see that
# there is anything to ask.) Alerts and queries are taken from there and from the dashboard; here stands
# only which run calls for which alert.
# usage: tests/prometheus.sh BUILD [RUN]...   (make prometheus, from the top folder: three minutes)
set -euo pipefail

build=$1
shift
# shellcheck source=scenarios/programs.sh
. scenarios/programs.sh
dashboard=spec/grafana/dashboard.json
patience_s=120

database=
end_database() {
    [ -z "$database" ] || tests/lab/postgres.sh kill "$database"
    rm -rf "$database"
}
trap 'end_database; finish' EXIT

fail() {
    echo "FAILED   $run: $*" >&2
    tail -n 5 "$dir"/*.stderr >&2 || true
    exit 1
}

# until_true WHAT COMMAND...: again and again, until it succeeds.
until_true() {
    local what=$1 end=$((SECONDS + patience_s))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || fail "waited $patience_s s for $what"
        read -r -t 0.2 <> <(:) || true
    done
}

# --- Prometheus

# ask QUERY: what it returns, as a JSON array.
ask() {
    curl -sS --fail-with-body -G --data-urlencode "query=$1" "$prometheus/api/v1/query" |
        jq -ce 'if .data.resultType == "scalar" then [{value: .data.result}] else .data.result end'
}

# A number, of any series: NaN is none.
has_data() {
    ask "$1" | jq -e 'any(.[]; .value[1] != "NaN")' >/dev/null
}

alerts() { # that have fired, each once, in a line
    ask 'count by (alertname) (last_over_time(ALERTS{alertstate="firing"}[1h]))' |
        jq -r '[.[].metric.alertname] | sort | join(" ")'
}

is_scraped() {
    [ "$(ask 'count(up == 1)' | jq -r '.[0].value[1]')" = 2 ]
}

# All rules were evaluated after the moment $1, in seconds since the epoch.
is_evaluated() {
    curl -sS "$prometheus/api/v1/rules" |
        jq -e --argjson since "$1" '[.data.groups[].lastEvaluation
            | sub("\\..*|Z$"; "") + "Z" | fromdateiso8601] | min > $since' >/dev/null
}

port_of() { echo "${1##*:}"; }

start_prometheus() {
    sed -e "s/127\.0\.0\.1:5000/127.0.0.1:$(port_of "$api")/" -e "s/127\.0\.0\.1:8301/127.0.0.1:$(port_of "$admin")/" \
        -e 's/: 15s$/: 1s/' spec/prometheus/prometheus.yml >"$dir/prometheus.yml"
    awk '/^ *for: [0-9]+m$/ { sub(/[0-9]+m/, 7 + $2 * 3 "s") } { print }' spec/prometheus/rules.yml >"$dir/rules.yml"
    ! grep -nE 'for: .*m$' "$dir/rules.yml" || fail "for: is taken to be whole minutes"
    rm -rf "$dir/data"
    : >"$dir/prometheus.stderr" # what the one before has said is none of this one's
    prometheus --config.file="$dir/prometheus.yml" --storage.tsdb.path="$dir/data" \
        --web.listen-address=127.0.0.1:0 2>"$dir/prometheus.stderr" &
    started=$!
    pids+=("$started")
    until_true "Prometheus to listen" grep -q '"Listening on"' "$dir/prometheus.stderr"
    prometheus=http://$(sed -n 's/.*msg="Listening on" address=//p' "$dir/prometheus.stderr")
    until_true "Prometheus to be ready" curl -sS -o "$dir/ready" --fail "$prometheus/-/ready"
    until_true "both programs to be scraped" is_scraped
}

# --- our programs

# The options that a run gives to its programs.
simulator_options=() orchestrator_options=()

start_simulator() {
    start simulator --devices 127.0.0.1:0 --admin 127.0.0.1:0 "${simulator_options[@]}" 2>"$dir/simulator.stderr"
    admin=${ready_line##*admin }
    inventory=$admin/inventory/
}

start_orchestrator() { # [ADDRESS]
    start orchestrator --listen "${1:-127.0.0.1:0}" --inventory "$inventory" --state "$state" \
        --log "$dir/orchestrator.log" "${orchestrator_options[@]}" 2>"$dir/orchestrator.stderr"
    api=${ready_line##* on }
    orchestrator=$started
}

start_all() {
    rm -f "$dir"/orchestrator.*
    start_simulator
    start_orchestrator
    start_prometheus
}

post() { # URL JSON
    curl -sS --fail-with-body -H 'Prefer: respond-async' -H 'Content-Type: application/json' -d "$2" "$1"
}

fault() { post "$admin/faults/" "$1" >/dev/null; }

# Begins a job, of which the id is in $job.
upgrade() { job=$(post "$api/upgrade-os/" "$1" | jq -r .id); }

is_done() { curl -sS "$api/jobs/$job/" | jq -e '.state == "done"' >/dev/null; }

has_installs() { # HOST
    curl -sS "$admin/devices/$1/" | jq -e '.installs == 1' >/dev/null
}

# --- the runs: run_NAME starts its programs and brings about what alerts_of[NAME] are for

declare -A alerts_of
small='{sites: [earth], dev_types: {leaf: {count: 4}}, latency: 0, versions: [5.2.1]}'
leaf='{"version": "5.3.1", "filter_hosts": ["leaf00.earth"]}'
pair='{"version": "5.3.1", "filter_hosts": ["leaf00.earth", "leaf01.earth"]}'

on_small() { # [MORE]: a network of four leaves, of which two and two are a group
    echo "${small%\}}${1:+, $1}}" >"$dir/network.yaml"
    simulator_options=(--network "$dir/network.yaml")
}

alerts_of[quiet]=''
run_quiet() {
    simulator_options=(--time-scale 0.02)
    start_all
    upgrade '{"version": "5.3.1"}'
    until_true "the upgrade of all 848 devices" is_done
}

alerts_of[down]=OrchestratorDown
run_down() {
    on_small
    start_all
    end "$orchestrator" KILL
}

alerts_of[unwritable]=OrchestratorStoreUnwritable
run_unwritable() {
    on_small
    orchestrator_options=(--log /dev/null)
    start_all
    prlimit --pid "$orchestrator" --fsize=1:
    ! upgrade "$leaf" 2>/dev/null || [ "$job" = null ] || fail "a job was taken though its store is full"
}

alerts_of[slow]=OrchestratorStoreSlow
run_slow() {
    simulator_options=(--latency 0)
    SLOW_DISK_MS=400 LD_PRELOAD=$build/slow_disk.so start_all
    upgrade '{"version": "5.3.1", "filter_dev_types": ["leaf"]}'
}

alerts_of[log]=OrchestratorLogLinesLost
run_log() {
    on_small
    orchestrator_options=(--log /dev/full)
    start_all
    upgrade "$leaf"
    until_true "the job" is_done
}

alerts_of[brake]=OrchestratorJobStopped
run_brake() {
    on_small
    start_all
    fault '{"match": {"host": "leaf00.earth"}, "on": "install_os_version", "effect": "delay", "by": "2s"}'
    upgrade "${pair%\}}, \"job_timeout\": \"1s\"}"
    until_true "the job" is_done
}

alerts_of[group]=OrchestratorGroupStopped
run_group() {
    on_small
    start_all
    fault '{"match": {"host": "leaf00.earth"}, "on": "install_os_version", "effect": "error"}'
    upgrade "$pair"
    until_true "the job" is_done
}

alerts_of[paused]=OrchestratorJobPaused
run_paused() {
    on_small
    start_all
    fault '{"on": "get_version", "effect": "delay", "by": "1s"}'
    upgrade "$pair"
    post "$api/jobs/$job/pause/" '' >/dev/null
}

alerts_of[stalled]=OrchestratorJobStalled
run_stalled() {
    on_small
    orchestrator_options=(--call-timeout 1h)
    start_all
    fault '{"match": {"host": "leaf00.earth"}, "on": "login", "effect": "no_reply"}'
    upgrade "$leaf"
}

alerts_of[doubt]=OrchestratorHostsInDoubt
run_doubt() {
    on_small
    orchestrator_options=(--install-timeout 1h)
    start_all
    fault '{"match": {"host": "leaf00.earth"}, "on": "install_os_version", "effect": "reboot", "downtime": "1h"}'
    upgrade "$leaf"
    until_true "the install" has_installs leaf00.earth
    end "$orchestrator" KILL
    start_orchestrator "${api#http://}"
}

alerts_of[referee]=RefereeViolation
run_referee() {
    on_small 'hosts: {leaf01.earth: {state: down}}'
    orchestrator_options=(--peer-check off)
    start_all
    upgrade "$leaf"
    until_true "the job" is_done
}

# Two nodes. The second cannot read its inventory, and so not the job of the first: it takes no shards, and
# when the first has died they are nobody's.
alerts_of[nodes]='OrchestratorNodeLost OrchestratorShardsFree'
run_nodes() {
    local first
    database=$(mktemp -d)
    state=$(tests/lab/postgres.sh start "$database")
    on_small
    start_simulator
    start_orchestrator
    first=$orchestrator
    until_true "the first node to have all shards" has_shards 1024
    fault '{"on": "get_version", "effect": "delay", "by": "1s"}'
    upgrade "$pair"
    post "$api/jobs/$job/pause/" '' >/dev/null
    until_true "all hosts to be put back" has_waiting 2
    inventory=http://127.0.0.1:1/
    start_orchestrator
    start_prometheus
    end "$first" KILL
}

has_shards() { curl -sS "$api/metrics/" | grep -q "^orchestrator_shards $1"; }

has_waiting() { curl -sS "$api/jobs/$job/" | jq -e ".counts.waiting == $1" >/dev/null; }

# Something of everything: hosts that failed, a group that was stopped, a job that is still going on.
alerts_of[everything]=OrchestratorGroupStopped
run_everything() {
    simulator_options=(--time-scale 0.02)
    orchestrator_options=(--call-timeout 1h)
    start_all
    fault '{"match": {"host": "leaf00.earth"}, "on": "install_os_version", "effect": "error"}'
    fault '{"match": {"host": "leaf00.mars"}, "on": "login", "effect": "no_reply"}'
    upgrade '{"version": "5.3.1", "filter_sites": ["earth"]}'
    until_true "the job" is_done
    upgrade '{"version": "5.3.1", "filter_sites": ["mars"], "filter_dev_types": ["leaf"]}'
    until_true "the alert that the dashboard shows" fires_what_it_must
    ask_everything
}

# As Grafana asks: its variables are put in, and a list of values is the series that have the label.
ask_everything() {
    jq -r '(.. | .expr? // empty), (.templating.list[].query.query
            | capture("^label_values\\((?<of>.*), (?<label>.*)\\)$") | "group by (\(.label)) (\(.of))")' "$dashboard" |
        sed -e 's/[$]__rate_interval/1m/g' -e 's/[$]__range/1h/g' -e 's/[$]instance/.*/g' >"$dir/queries"
    curl -sS "$prometheus/api/v1/rules" |
        jq -r '.data.groups[].rules[] | select(.type == "recording") | .name, .query' >>"$dir/queries"
    ! grep -F '$' "$dir/queries" || fail "a variable that is not known"
    while read -r query; do
        until_true "data of $query" has_data "$query"
        asked=$((asked + 1))
    done <"$dir/queries"
}

# --- playing them

fires_what_it_must() {
    local fired alert
    fired=$(alerts)
    for alert in $fired; do
        [[ " ${alerts_of[$run]} " == *" $alert "* ]] || fail "this fired: $alert"
    done
    [ "$fired" = "${alerts_of[$run]}" ]
}

play() {
    local now
    simulator_options=() orchestrator_options=() state=$dir/orchestrator.db database=
    "run_$run"
    until_true "the alert ${alerts_of[$run]:-none}" fires_what_it_must
    # What is to fire late fires now: all rules have seen what has become of the run.
    now=$(date +%s)
    until_true "the rules" is_evaluated $((now + 3))
    fires_what_it_must || fail "no alert fires any more"
    curl -sS "$prometheus/api/v1/rules" |
        jq -r '.data.groups[].rules[] | select(.type == "alerting") | .name' | sort >"$dir/alerts"
    for pid in "${pids[@]}"; do kill -s KILL "$pid" 2>/dev/null || true; done
    { for pid in "${pids[@]}"; do wait "$pid" || true; done; } 2>/dev/null
    pids=()
    end_database
    echo "ok       $run: ${alerts_of[$run]:-no alert}"
}

asked=0
all="quiet down unwritable slow log brake group paused stalled doubt referee nodes everything"
# shellcheck disable=SC2086 # a list of words
[ $# -gt 0 ] || set -- $all
for run in "$@"; do
    play
done

# An alert that no run calls for is one that nobody has seen fire.
# shellcheck disable=SC2086
[ "$*" != "$all" ] || printf '%s\n' "${alerts_of[@]}" | tr ' ' '\n' | grep . | sort -u | diff "$dir/alerts" - ||
    fail "the alerts of the rules (<) and those that runs call for (>) differ"
echo "$# runs, $asked queries with data"
