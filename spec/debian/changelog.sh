#!/bin/sh
# Prints Debian's changelog of this version: common/version.h says which it is, CHANGELOG.md what is new.
# DEBFULLNAME and DEBEMAIL may say who packs it, SOURCE_DATE_EPOCH when. A package for Debian 12 sorts before one
# for Debian 13, and before one that Debian itself may have one day. From the top folder.
set -eu

version=$(sed -n 's/^#define PROJECT_VERSION "\(.*\)"$/\1/p' common/version.h)
maintainer=$(sed -n 's/^Maintainer: //p' spec/debian/control)
[ -z "${DEBEMAIL:-}" ] || maintainer="${DEBFULLNAME:-$DEBEMAIL} <$DEBEMAIL>"
# shellcheck source=/dev/null
release=$(. /etc/os-release && [ "$ID" = debian ] && echo "${VERSION_ID:-}") || release=
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat -c %Y common/version.h)}

cat <<END
orchestrator ($version-1${release:+~deb$release}) unstable; urgency=medium

  * Version $version. What is new in it: /usr/share/doc/orchestrator/changelog.gz

 -- $maintainer  $(LC_ALL=C date -u -R -d "@$epoch")
END
