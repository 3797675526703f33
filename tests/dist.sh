#!/bin/bash
# Makes the tarball twice, which must be the same bytes; unpacks it where git is not, builds it with `make`,
# and upgrades a network with what came of it.
# usage: tests/dist.sh   (make dist-check, from the top folder)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

fail() {
    echo "dist: $*" >&2
    exit 1
}

first=$(make --no-print-directory dist BUILD="$folder/first" | tail -n 1)
second=$(umask 077 && TZ=Asia/Tokyo make --no-print-directory dist BUILD="$folder/second" | tail -n 1)
cmp "$first" "$second" || fail "two tarballs of one commit differ"
name=$(basename "$first" .tar.gz)

tar -xzf "$first" -C "$folder"
[ -z "$(find "$folder/$name" -name .git -o -name build)" ] || fail "it has what is not the project's"
# A git that cannot be asked.
mkdir "$folder/bin"
printf '#!/bin/sh\nexit 127\n' >"$folder/bin/git"
chmod +x "$folder/bin/git"
export PATH=$folder/bin:$PATH
cd "$folder/$name"
if [ -e "$OLDPWD/build/swagger-ui/swagger-ui.css" ]; then # once fetched is enough
    mkdir -p build/swagger-ui
    cp "$OLDPWD"/build/swagger-ui/*.css "$OLDPWD"/build/swagger-ui/*.js build/swagger-ui/
fi
make --no-print-directory -n test >"$folder/output" || fail "make -n test: $(tail -n 3 "$folder/output")"
make --no-print-directory >"$folder/output" 2>&1 || fail "make: $(tail -n 20 "$folder/output")"
said=$(build/orchestrator --version)
[ "$said" = "orchestrator ${name#orchestrator-}" ] || fail "$name says that it is '$said'"
build/scenario run scenarios/acme/010-upgrade-earth.yaml scenarios/examples/wan >"$folder/output" ||
    fail "$(cat "$folder/output")"
echo "dist: $name.tar.gz is the same twice, builds where git is not, and upgrades a network"
