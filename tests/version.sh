#!/bin/bash
# The version stands in common/version.h. What is made from it, and what must repeat it, says the same.
# usage: tests/version.sh BUILD   (make lint)
set -euo pipefail

build=$1
version=$(sed -n 's/^#define PROJECT_VERSION "\(.*\)"$/\1/p' common/version.h)
status=0

says() { # WHAT SAID EXPECTED
    [ "$2" = "$3" ] && return
    echo "$1 says '$2', and common/version.h '$version'"
    status=1
}

[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || { echo "common/version.h: '$version' is no version"; exit 1; }
for document in spec/orchestrator.yaml spec/simulator.yaml; do
    says "$document" "$(sed -n '/^info:/,/^[^ ]/s/^  version: //p' "$document")" "$version"
done
for program in orchestrator simulator scenario bench; do
    says "$program --version" "$("$build/$program" --version)" "$program $version"
done
says "make dist" "$(basename "$(make --no-print-directory -s print-dist)")" "orchestrator-$version.tar.gz"
says "the Debian package" "$(spec/debian/changelog.sh 2>/dev/null | sed -n '1s/^orchestrator (\(.*\)-[^)]*) .*/\1/p')" "$version"

# A text of it anywhere else would be forgotten at the next release.
others=$(grep -rlF --include='*.[ch]' --include=Makefile --include='*.sh' --include='*.in' "\"$version\"" \
    common orchestrator simulator scenarios bench tests spec Makefile | grep -vx common/version.h || true)
[ -z "$others" ] || { echo "the version stands in $others, too: take it from common/version.h"; status=1; }
exit $status
