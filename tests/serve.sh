#!/bin/bash
# Starts scenarios/serve.sh on free ports, upgrades some hosts of its network, and ends it as Ctrl-C does,
# while hosts are in hand: it must wait for them, and leave no process and no file.
# usage: tests/serve.sh BUILD   (make serve-check, from the top folder)
set -euo pipefail

build=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

fail() {
    echo "serve: $*" >&2
    kill "$pid" 2>/dev/null || true
    exit 1
}

until_true() {
    local what=$1 end=$((SECONDS + 60))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || fail "waited 60 s for $what"
        read -r -t 0.1 <> <(:) || true
    done
}

job() { curl -sS "$api/jobs/?limit=1" | jq -e ".jobs[0] | $1" >/dev/null; }

mkdir "$folder/own"
# What runs in the background ignores Ctrl-C, and so does all that is run by who ignores it.
env --default-signal=INT TMPDIR="$folder/own" DEVICES=127.0.0.1:0 ADMIN=127.0.0.1:0 LISTEN=127.0.0.1:0 \
    scenarios/serve.sh "$build" >"$folder/output" 2>&1 &
pid=$!
until_true "what to type next" grep -q '^Ctrl-C' "$folder/output"
mapfile -t programs < <(pgrep -P "$pid")
[ ${#programs[@]} -eq 2 ] || fail "it has ${#programs[@]} programs, not two"
api=$(sed -n 's/^orchestrator: listening on //p' "$folder/output")
curl -sS --fail -H 'Prefer: respond-async' -H 'Content-Type: application/json' -o "$folder/answer" \
    -d '{"version": "5.3.1", "filter_dev_types": ["leaf"]}' "$api/upgrade-os/"
until_true "hosts in hand" job '.counts.in_hand > 0'
kill -s INT "$pid"
status=0
wait "$pid" || status=$?
[ "$status" -eq 0 ] || { cat "$folder/output" >&2; fail "it ended with $status"; }
for program in "${programs[@]}"; do ! kill -0 "$program" 2>/dev/null || fail "$program is left"; done
[ -z "$(ls -A "$folder/own")" ] || fail "files are left: $(ls -A "$folder/own")"
grep -q 'orchestrator: waiting for' "$folder/output" || fail "it did not wait for hosts in hand"

echo "serve: ends as it should"
