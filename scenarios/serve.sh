#!/bin/bash
# Simulator and orchestrator in the foreground until Ctrl-C, for trying things by hand. What they write
# is in a folder that goes with them. The first Ctrl-C lets the hosts in hand come to their end, a
# second waits for nobody.
# usage: [DEVICES=ADDRESS] [ADMIN=ADDRESS] [LISTEN=ADDRESS] scenarios/serve.sh [BUILD]   (make serve)
set -euo pipefail

build=${1:-build}
devices=${DEVICES:-127.0.0.1:8300} admin=${ADMIN:-127.0.0.1:8301} listen=${LISTEN:-127.0.0.1:5000}
# shellcheck source=scenarios/programs.sh
. "$(dirname "$0")/programs.sh"

signals=0 hint='' orchestrator=''
# shellcheck disable=SC2317 # the trap's
on_signal() {
    signals=$((signals + 1))
    [ -z "$orchestrator" ] || kill "$orchestrator" 2>/dev/null || true
}
trap on_signal INT TERM HUP
trap 'finish; [ -z "$hint" ] || echo "$hint" >&2' EXIT

# Each in a process group of its own: Ctrl-C is for this script, which ends one before the other.
set -m
hint="If an address is taken: make serve DEVICES=127.0.0.1:0 ADMIN=127.0.0.1:0 takes free ports"
start simulator --devices "$devices" --admin "$admin"
echo "$ready_line"
admin=${ready_line##*admin }
hint="If the address is taken: make serve LISTEN=127.0.0.1:0 takes a free port"
start orchestrator --listen "$listen" --inventory "$admin/inventory/" --simulator "$admin" --state "$dir/orchestrator.db" \
    --log "$dir/orchestrator.log"
hint=''
echo "$ready_line"
api=${ready_line##* on }
orchestrator=$started

cat <<END

The page is at $api/: start an upgrade there, and click a device to make it fail.
The API, to be tried out: $api/docs/

The jobs and the log are in $dir until this ends. What to type next, elsewhere:

  curl -s -X POST -H 'Content-Type: application/json' -d '{"version": "5.3.1", "filter_sites": ["earth"]}' $api/upgrade-os/
  $build/orchestrator upgrade-os --version 5.3.1 --url $api
  curl -s -H 'Content-Type: application/json' -d '{"match": {"site": "mars"}, "on": "install_os_version", "effect": "error", "probability": 0.1}' $admin/faults/
  curl -s '$api/jobs/?limit=5' | jq
  curl -s '$admin/audit/?violations' | jq
  tail -f $dir/orchestrator.log

Ctrl-C ends it
END

# A signal ends the wait, but not what is waited for.
status=0
while kill -0 "$orchestrator" 2>/dev/null; do
    status=0
    wait -n "${pids[@]}" || status=$?
    kill -0 "${pids[0]}" 2>/dev/null || break # without its network it has nothing to do
done
if [ "$signals" -eq 0 ]; then
    echo "serve: a program has ended by itself" >&2
    exit 1
fi
[ "$signals" -eq 1 ] || exit 0 # hosts in hand were left
exit "$status"
