#!/bin/sh
# Checks the schemas of scenarios and networks, and that our loaders agree with them, with ajv; the
# OpenAPI documents with spectral and redocly; and every HTTP answer of the scenarios against these.
# All are standard tools from npm, at the versions of tests/schema/package-lock.json, below BUILD.
# usage: tests/schema.sh BUILD   (make schema)
set -eu

build=$1
mkdir -p "$build/schema"
if ! cmp -s tests/schema/package-lock.json "$build/schema/package-lock.json" ||
    [ ! -d "$build/schema/node_modules" ]; then
    cp tests/schema/package.json tests/schema/package-lock.json "$build/schema/"
    (cd "$build/schema" && npm ci --ignore-scripts --no-audit --no-fund --silent)
fi
tools="$build/schema/node_modules/.bin"
"$tools/spectral" lint --fail-severity=warn --ruleset tests/schema/spectral.yaml spec/orchestrator.yaml spec/simulator.yaml
REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true "$tools/redocly" lint --max-problems 100 \
    --config tests/schema/redocly.yaml spec/orchestrator.yaml spec/simulator.yaml
"$build/scenario" run scenarios --answers "$build/schema/answers.ndjson" >"$build/schema/scenarios.out" ||
    { tail -n 40 "$build/schema/scenarios.out"; exit 1; }
node tests/schema/answers.mjs "$build" "$build/schema/answers.ndjson"
exec node tests/schema/check.mjs "$build"
