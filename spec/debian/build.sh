#!/bin/bash
# Builds the Debian packages, source and binary, of what is committed (of all that lies here, where git is not)
# into BUILD/deb/. Needs no root.
# usage: spec/debian/build.sh BUILD   (make deb, from the top folder)
set -euo pipefail

build=$1
version=$(sed -n 's/^#define PROJECT_VERSION "\(.*\)"$/\1/p' common/version.h)
folder=$(mkdir -p "$build" && cd "$build" && pwd)/deb
tree=$folder/orchestrator-$version

rm -rf "$folder"
mkdir -p "$folder"
if git rev-parse --git-dir >/dev/null 2>&1; then
    make --no-print-directory dist BUILD="$build"
    cp "$build/orchestrator-$version.tar.gz" "$folder/orchestrator_$version.orig.tar.gz"
else
    tar -c --exclude=./build --transform "s|^\.|orchestrator-$version|" --sort=name --owner=0 --group=0 --numeric-owner . |
        gzip -9n >"$folder/orchestrator_$version.orig.tar.gz"
fi
tar -xf "$folder/orchestrator_$version.orig.tar.gz" -C "$folder"
cp -a "$tree/spec/debian" "$tree/debian"
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(stat -c %Y "$tree/common/version.h")}
export SOURCE_DATE_EPOCH
(cd "$tree" && debian/changelog.sh >debian/changelog)
# A build of a package asks no network for it.
mkdir -p "$tree/build/swagger-ui"
cp build/swagger-ui/swagger-ui-bundle.js build/swagger-ui/swagger-ui.css "$tree/build/swagger-ui/"

(cd "$tree" && dpkg-buildpackage --no-sign) >"$folder/build.log" 2>&1 || {
    tail -n 40 "$folder/build.log"
    echo "deb: dpkg-buildpackage failed: $folder/build.log" >&2
    exit 1
}
ls "$folder"/*.deb
