#!/bin/sh
# The tests of the page, in a headless Chromium. playwright-core and axe-core come from npm, at the
# versions of tests/browser/package-lock.json, below build/browser. What was looked at is in
# BUILD/browser/screenshots.
# usage: tests/browser.sh BUILD [screenshot FILE | bench NETWORK]   (make test-browser, screenshot, bench-page)
set -eu

build=$1
mkdir -p "$build/browser"
if ! cmp -s tests/browser/package-lock.json "$build/browser/package-lock.json" ||
    [ ! -d "$build/browser/node_modules" ]; then
    cp tests/browser/package.json tests/browser/package-lock.json "$build/browser/"
    (cd "$build/browser" && npm ci --ignore-scripts --no-audit --no-fund --silent)
fi
CHROMIUM=$(command -v chromium-headless-shell || command -v chromium)
export CHROMIUM BUILD="$build"
case ${2:-test} in
screenshot) exec node tests/browser/screenshot.mjs "$3" ;;
bench) exec node bench/page.mjs "$3" ;;
esac

# Beside one another; their lines of TAP are added up.
printf '%s\n' tests/browser/*.test.mjs | xargs -P 4 -I '{}' sh -c \
    'node --test --test-reporter=tap "$1" >"$0/browser/$(basename "$1").out" 2>&1' "$build" '{}' && failed=0 || failed=1
cat "$build"/browser/*.test.mjs.out
exit $failed
