#!/bin/sh
# Fetches Swagger UI's two files with npm into DIR, at the version of package-lock.json. Where that
# cannot be done the files are empty, and /docs/ says how they come to be there; with --must it is an
# error.
# usage: orchestrator/docs/fetch.sh [--must] DIR
set -eu

must=no
if [ "$1" = --must ]; then
    must=yes
    shift
fi
dir=$1
from=$dir/npm/node_modules/swagger-ui-dist
mkdir -p "$dir/npm"
cp "$(dirname "$0")/package.json" "$(dirname "$0")/package-lock.json" "$dir/npm/"

without() {
    if [ "$must" = yes ]; then
        echo "docs: $1" >&2
        exit 1
    fi
    echo "docs: /docs/ comes without Swagger UI: $1 (make docs tries again)"
    : >"$dir/swagger-ui.css"
    : >"$dir/swagger-ui-bundle.js"
    exit 0
}

command -v npm >/dev/null 2>&1 || without "npm is not installed (apt-get install npm)"
(cd "$dir/npm" && npm ci --ignore-scripts --no-audit --no-fund --silent --fetch-retries=1 --fetch-timeout=20000) \
    >"$dir/npm.log" 2>&1 || without "npm could not fetch it ($dir/npm.log)"
cp "$from/swagger-ui.css" "$dir/"
cp "$from/swagger-ui-bundle.js" "$dir/"
