#!/bin/sh
# Installs the Debian packages that are missing, and says which ones first.
# usage: tests/deps.sh build|demo|test|bench|lint|coverage|fuzz|valgrind|load|schema|prometheus|man|deb|deb-check...   (each
# adds to what it needs)
set -eu

missing=
need() { missing="$missing $1"; }
need_library() { pkg-config --exists "$1" 2>/dev/null || need "$2"; }
need_command() { command -v "$1" >/dev/null 2>&1 || need "$2"; }

# Its server alone: tests/lab/postgres.sh starts one.
need_server() {
    [ -x /usr/lib/postgresql/"$(find /usr/lib/postgresql -mindepth 1 -maxdepth 1 -printf '%f\n' 2>/dev/null |
        sort -V | tail -n 1)"/bin/initdb ] || need postgresql
}

need_command pkg-config pkg-config
for purpose in "$@"; do
    case $purpose in
    build)
        need_library libuv libuv1-dev
        need_library libmicrohttpd libmicrohttpd-dev
        need_library gnutls libgnutls28-dev
        need_library libcjson libcjson-dev
        need_library yaml-0.1 libyaml-dev
        need_library libcurl libcurl4-gnutls-dev
        need_library sqlite3 libsqlite3-dev
        need_library libpq libpq-dev
        need_library libsystemd libsystemd-dev
        ;;
    demo)
        need_command curl curl
        need_command jq jq
        ;;
    test)
        need_library check check
        need_command promtool prometheus
        need_command prove perl
        need_server
        /usr/bin/python3 -c 'import junitparser' 2>/dev/null || need python3-junitparser
        nc -h 2>&1 | grep -q OpenBSD || need netcat-openbsd
        need_command zsh zsh
        need_command fish fish
        need_command node nodejs
        need_command npm npm
        need_command chromium-headless-shell chromium-headless-shell
        ;;
    lint)
        need_command clang clang
        need_command clang-tidy clang-tidy
        need_command clang-format clang-format
        need_command cppcheck cppcheck
        ;;
    bench)
        need_command gnuplot gnuplot-nox
        need_server
        [ -x /usr/bin/python3 ] || need python3
        ;;
    coverage) need_command gcovr gcovr ;;
    schema)
        need_command node nodejs
        need_command npm npm
        ;;
    prometheus)
        need_command prometheus prometheus
        need_command promtool prometheus
        need_command curl curl
        need_command jq jq
        ;;
    valgrind) need_command valgrind valgrind ;;
    load) need_command wrk wrk ;;
    man) need_command help2man help2man ;;
    deb)
        need_command dh debhelper
        need_command dpkg-buildpackage dpkg-dev
        ;;
    deb-check)
        need_command debootstrap debootstrap
        need_command lintian lintian
        need_command unshare util-linux
        need_command ip iproute2
        need_command systemd-analyze systemd
        ;;
    fuzz)
        need_command clang clang
        # libFuzzer and the sanitizers; the package's name carries clang's version
        runtime=$(clang -print-file-name=libclang_rt.fuzzer-x86_64.a 2>/dev/null || true)
        [ -e "$runtime" ] || need "libclang-rt-$(clang -dumpversion 2>/dev/null | cut -d. -f1 | grep . || echo 14)-dev"
        ;;
    *)
        echo "tests/deps.sh: unknown purpose: $purpose (build, demo, test, bench, lint, coverage, fuzz, valgrind, load, schema, prometheus, man, deb, deb-check)" >&2
        exit 2
        ;;
    esac
done
[ -n "$missing" ] || exit 0

# shellcheck disable=SC2086 # the list is meant to be split
set -- $missing
if ! command -v apt-get >/dev/null 2>&1; then
    echo "missing:$missing (Debian's names; no apt-get here: install them by hand)" >&2
    exit 1
fi
as_root=
if [ "$(id -u)" -ne 0 ]; then as_root=sudo; fi
echo "installing the Debian packages that are missing: $*"
$as_root apt-get update -qq
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends "$@" </dev/null
