#!/bin/bash
# An upgrade of the whole network while clients ask every endpoint without a pause: its descriptors must be flat
# after the first tenth of the time, its memory from the first half to the second, and the upgrade as fast as one
# that nobody disturbs. (In the first half memory grows by what is told of hosts that are over: the answers to
# all clients grow with it.) Both upgrades wait most of the time, as real installs do.
# usage: tests/load.sh BUILD [MINUTES]   (make load, from the top folder: twice MINUTES, 10)
set -euo pipefail

build=$1
minutes=${2:-10}
# shellcheck source=scenarios/programs.sh
. scenarios/programs.sh
out=$build/load
rm -rf "$out" && mkdir -p "$out"
clients=20

fail() {
    echo "load: $*" >&2
    exit 1
}

json() { curl -sS --fail-with-body "$@"; }

# An install takes some seconds, and 28 workers take ten minutes for the 848 devices, times $minutes / 10.
begin_upgrade() {
    start simulator --devices 127.0.0.1:0 --admin 127.0.0.1:0 --latency 2s..6s --time-scale "$(bc -l <<<"$minutes / 10")"
    admin=${ready_line##*admin }
    start orchestrator --listen 127.0.0.1:0 --inventory "$admin/inventory/" --log "$dir/log" --state "$dir/$1.db" --workers 28
    api=${ready_line##* on } pid=$started
    job=$(json -H 'Prefer: respond-async' -H 'Content-Type: application/json' -d '{"version": "5.3.1"}' "$api/upgrade-os/" | jq -r .id)
}

is_done() { json "$api/jobs/$job/" | jq -e '.state == "done"' >/dev/null; }

# All must have been upgraded, and the referee silent. $took: seconds from its start to its end.
end_upgrade() {
    [ "$(json "$admin/audit/?violations" | jq '.violations | length')" = 0 ] || fail 'the referee has seen a mistake'
    json "$api/jobs/$job/" | jq -e '.counts.changed + .counts.unchanged == 848' >/dev/null || fail 'not all devices were upgraded'
    took=$(json "$api/jobs/$job/" | jq '(.ended | sub("\\..*"; "Z") | fromdate) - (.started | sub("\\..*"; "Z") | fromdate)')
    for program in "${pids[@]}"; do end "$program"; done
}

rss_kb() { awk '$1 == "VmRSS:" { print $2 }' "/proc/$pid/status"; }

descriptors() { find "/proc/$pid/fd" -mindepth 1 2>/dev/null | wc -l; }

# Every GET of the OpenAPI document but the streams, a dry run, and what is refused.
write_requests() {
    json "$api/swagger/" | jq -r '.paths | to_entries[] | select(.value.get) | .key' |
        grep -v '/events/$' |
        sed -e "s/{id}/$job/" -e 's/{host}/leaf00.earth/' -e 's|^/web/{file}|/web/main.js|' -e 's|^/docs/{file}|/docs/docs.js|'
    echo "/jobs/$job/hosts/?state=waiting&limit=1000"
    echo /no/such/page
    echo '/hosts/?unknown=1'
}

write_script() {
    {
        echo 'local paths = {'
        write_requests | sed 's/.*/"&",/'
        cat <<'EOF'
}
local i = 0
request = function()
    i = i + 1
    if i % 50 == 0 then
        return wrk.format("POST", "/upgrade-os/", {["Content-Type"] = "application/json"}, '{"version": "5.3.1", "dry_run": true}')
    end
    return wrk.format("GET", paths[i % #paths + 1])
end
EOF
    } >"$dir/requests.lua"
}

# Streams of events that come and go beside the other clients.
follow() {
    while sleep 1; do curl -sS -N --max-time 5 "$api/jobs/$job/events/" >/dev/null 2>&1 || true; done
}

begin_upgrade alone
until is_done; do sleep 0.5; done
end_upgrade
alone=$took

begin_upgrade disturbed
write_script
wrk -t 1 -c $clients -d 10h --timeout 30s -s "$dir/requests.lua" "$api" >"$out/wrk" 2>&1 &
load=$!
follow &
follower=$!
pids+=("$load" "$follower")
began=$SECONDS
until is_done; do
    echo "$((SECONDS - began)) $(rss_kb) $(descriptors)" >>"$out/samples"
    sleep 1
done
end "$load" INT
end "$follower"
end_upgrade
grep -E 'requests in|Socket errors' "$out/wrk"

awk -v first=$((minutes * 6)) -v alone="$alone" -v disturbed="$took" '
    { late = $1 > first; half = $1 > disturbed / 2 }
    $2 > rss[half] { rss[half] = $2 }
    $3 > fds[late] { fds[late] = $3 }
    END {
        printf "memory: at most %.1f MB in the first half, %.1f MB in the second\n", rss[0] / 1024, rss[1] / 1024
        printf "descriptors: at most %d in the first %d s, %d later\n", fds[0], first, fds[1]
        printf "the upgrade: %d s alone, %d s with the load\n", alone, disturbed
        if (rss[1] > rss[0] * 1.05) { print "load: memory grows"; bad = 1 }
        if (fds[1] > fds[0] + 5) { print "load: descriptors grow"; bad = 1 }
        if (disturbed > alone * 1.05) { print "load: the upgrade is slower"; bad = 1 }
        exit bad
    }' "$out/samples"
