#!/bin/sh
# Checks the schemas of scenarios and networks, and that our loaders agree with them, with ajv: a
# standard validator from npm, at the versions of tests/schema/package-lock.json, below BUILD.
# usage: tests/schema.sh BUILD   (make schema)
set -eu

build=$1
mkdir -p "$build/schema"
if ! cmp -s tests/schema/package-lock.json "$build/schema/package-lock.json" ||
    [ ! -d "$build/schema/node_modules" ]; then
    cp tests/schema/package.json tests/schema/package-lock.json "$build/schema/"
    (cd "$build/schema" && npm ci --ignore-scripts --no-audit --no-fund --silent)
fi
exec node tests/schema/check.mjs "$build"
