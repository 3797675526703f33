#!/bin/bash
# Installs the packages of BUILD/deb/ in a clean Debian of their own, which debootstrap makes from where this
# machine has its packages, and which systemd boots: the units run there in earnest, with their sandbox. A site is
# upgraded with the terminal client; the service is reloaded, stopped in the midst of a job, and missed by its
# watchdog; the packages are removed and purged, and nothing may be left. Mounts, processes and ports are in
# namespaces of their own, and end with this script.
# usage: tests/deb.sh BUILD   (make deb-check, from the top folder, as root)
set -euo pipefail

build=$1
folder=$(pwd)/$build/deb-check
root=$folder/root
booting='' booted=''

say() { echo "deb-check: $*"; }
fail() {
    say "$*" >&2
    exit 1
}

[ "$(id -u)" -eq 0 ] || fail "a system of its own needs root: sudo make deb-check"
mkdir -p "$folder/cgroup"

until_true() { # WHAT COMMAND...
    local what=$1 end=$((SECONDS + 300))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || fail "waited 300 s for $what"
        read -r -t 0.2 <> <(:) || true
    done
}

# --- a clean Debian

# Where apt has this machine's Debian from: its site and its release.
debian_of_apt() {
    # shellcheck disable=SC2016 # apt's
    apt-get indextargets --format '$(SITE) $(RELEASE) $(COMPONENT) $(ORIGIN)' 'Created-By: Packages' |
        awk '$3 == "main" && $4 == "Debian" && $2 !~ /[-\/]/ { print $1, $2; exit }'
}

make_root() {
    local site release
    read -r site release < <(debian_of_apt) || fail "apt knows no Debian: apt-get update"
    rm -rf "$root"
    mkdir -p "$folder/cache"
    say "a clean Debian $release in $root"
    debootstrap --variant=minbase --cache-dir="$folder/cache" "$release" "$root" "$site" >"$folder/debootstrap.log" 2>&1 ||
        fail "debootstrap failed: $(tail -n 3 "$folder/debootstrap.log")"
    # Updates, too, where apt has them.
    # shellcheck disable=SC2016
    apt-get indextargets --format 'deb $(SITE) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 'Origin: Debian' |
        sort -u >"$root/etc/apt/sources.list"
    cp /etc/resolv.conf "$root/etc/resolv.conf"
}

# apt before it is booted: with the network of this machine, which it has no more after that.
apt_in_root() {
    # shellcheck disable=SC2016 # the inner shell's
    unshare --mount --pid --fork --kill-child sh -euc 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"' "$root" \
        env DEBIAN_FRONTEND=noninteractive apt-get -y -qq --no-install-recommends "$@" >>"$folder/apt.log" 2>&1 ||
        fail "apt-get $*: $(tail -n 5 "$folder/apt.log")"
}

# --- booted

# In a control group of its own, which is the root of all that systemd sees.
cat >"$folder/boot" <<'END'
#!/bin/sh
set -eu
root=$1
mount --make-rprivate /
mount --bind "$root" "$root"
cd "$root"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev
for device in null zero full random urandom tty; do
    : >dev/$device
    mount --bind "/dev/$device" dev/$device
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
mount -t tmpfs tmpfs dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ip link set lo up
mkdir -p tmp/outside
pivot_root . tmp/outside
exec env -i container=private PATH=/usr/sbin:/usr/bin:/sbin:/bin sh -c 'umount -l /tmp/outside; exec "$@"' boot \
    /lib/systemd/systemd --log-target=console systemd.unit=multi-user.target
END
chmod +x "$folder/boot"

in_cgroups() ( # COMMAND: a shell's, with the groups' hierarchy in $folder/cgroup
    exec unshare --mount sh -euc "mount -t cgroup2 cgroup2 '$folder/cgroup'; group='$folder/cgroup/deb-check-$$'; $1"
)

# The first below a process that has other process numbers than this script.
find_booted() { # PID
    local pid=$1 children
    while [ "$(readlink "/proc/$pid/ns/pid")" = "$(readlink /proc/self/ns/pid)" ]; do
        children=$(cat "/proc/$pid/task/$pid/children")
        pid=${children%% *}
        [ -n "$pid" ] || return 1
    done
    booted=$pid
}

boot() {
    in_cgroups "mkdir \"\$group\"; echo \$\$ >\"\$group/cgroup.procs\"
        exec unshare --mount --pid --net --ipc --uts --cgroup --fork --kill-child '$folder/boot' '$root'" \
        >"$folder/boot.log" 2>&1 </dev/null &
    booting=$!
    until_true "a process in namespaces of its own" find_booted "$booting"
    until_true "systemd" is_settled
}

in_it() { # COMMAND...
    nsenter -t "$booted" -m -p -n -i -u -C -r -w env -i -C / PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb DEBIAN_FRONTEND=noninteractive \
        SYSTEMD_PAGER= SYSTEMD_COLORS=0 SYSTEMD_URLIFY=0 "$@"
}

# Not at once after an installation: then it reads its units anew, and hears nobody.
is_settled() { in_it systemctl is-system-running 2>/dev/null | grep -qE 'running|degraded'; }

# shellcheck disable=SC2016 # the inner shell's
remove_group() { in_cgroups '[ ! -d "$group" ] || find "$group" -depth -type d -exec rmdir {} +'; }

# shellcheck disable=SC2317 # the trap's
halt() {
    for pid in $booted $booting; do kill -KILL "$pid" 2>/dev/null || true; done
    wait "$booting" 2>/dev/null || true
    until_true "the end of its control group" remove_group 2>/dev/null
}
trap halt EXIT

of_service() { in_it systemctl show orchestrator --value -p "$1"; } # a property
status_says() { [[ $(of_service StatusText) == *$1* ]]; }

# --- what is tried

# All files, but for what apt, dpkg and systemd keep of themselves.
files() {
    (cd "$root" && find . -xdev \( -path ./proc -o -path ./sys -o -path ./dev -o -path ./run -o -path ./tmp -o -path ./packages \
        -o -path ./var/lib/dpkg -o -path ./var/lib/apt -o -path ./var/cache -o -path ./var/backups -o -path ./var/log/apt \
        -o -path ./var/lib/systemd/timers \) -prune -o -print | grep -vxE './etc/ld.so.cache|./var/log/(dpkg|alternatives).log' | sort)
}

install_packages() {
    local unit file
    in_it sh -c 'apt-get install -y -qq --no-install-recommends "$@"' apt "${packages[@]/#*\//\/packages\/}" >>"$folder/apt.log" 2>&1 ||
        fail "apt-get install: $(tail -n 5 "$folder/apt.log")"
    until_true "systemd" is_settled
    [ "$(in_it orchestrator --version)" = "orchestrator ${version%-*}" ] || fail "its --version is not ${version%-*}"
    for file in /etc/default/orchestrator /etc/logrotate.d/orchestrator; do
        # shellcheck disable=SC2016 # dpkg's
        grep -q "^ $file " < <(in_it dpkg-query -W -f '${Conffiles}\n' orchestrator) || fail "$file is no conffile"
    done
    for unit in orchestrator simulator; do
        [ "$(in_it systemctl is-enabled $unit)" = disabled ] || fail "$unit.service was enabled"
        [ "$(in_it systemctl is-active $unit)" = inactive ] || fail "$unit.service was started"
        in_it systemd-run --quiet --wait --pipe systemd-analyze verify "$unit.service" >"$folder/verify" 2>&1 || fail "$unit.service: $(cat "$folder/verify")"
        [ ! -s "$folder/verify" ] || fail "$unit.service: $(cat "$folder/verify")"
        in_it systemd-analyze --offline=yes --threshold=15 security "$unit.service" >"$folder/security" ||
            fail "$unit.service: $(tail -n 1 "$folder/security")"
        say "$unit.service: $(sed -n 's/.*exposure level for [^ ]*: \([0-9.]* [A-Z]*\).*/exposure \1/p' "$folder/security")"
    done
}

configure() { # UNIT LINE...
    in_it mkdir -p "/run/systemd/system/$1.service.d"
    # shellcheck disable=SC2016 # the inner shell's
    in_it sh -c 'unit=$1; shift; printf "%s\n" "[Service]" "$@" >"/run/systemd/system/$unit.service.d/check.conf"' configure "$@"
    in_it systemctl daemon-reload
}

upgrade() {
    configure simulator 'Environment=SIMULATOR_OPTIONS=--time-scale=0.02'
    in_it systemctl start simulator orchestrator || fail "the units do not start: $(in_it journalctl -u simulator -u orchestrator)"
    status_says 'http://127.0.0.1:5000, open jobs: 0' || fail "its status is: $(of_service StatusText)"
    in_it setpriv --reuid=nobody --regid=nogroup --clear-groups orchestrator upgrade-os --version 5.3.1 --site earth \
        >"$folder/upgrade.log" 2>&1 || fail "the upgrade: $(tail -n 20 "$folder/upgrade.log")"
    grep -q '^completed: 106 hosts' "$folder/upgrade.log" || fail "the upgrade: $(tail -n 20 "$folder/upgrade.log")"
    [ "$(in_it curl -sS http://127.0.0.1:8301/audit/?violations | jq -c .violations)" = '[]' ] || fail "the referee saw violations"
    in_it env -C /tmp setpriv --reuid=nobody --regid=nogroup --clear-groups scenario run \
        /usr/share/doc/orchestrator-simulator/examples/scenarios/examples/wan >"$folder/upgrade.log" 2>&1 ||
        fail "the scenarios: $(tail -n 20 "$folder/upgrade.log")"
}

# As logrotate does it.
reload() {
    in_it mv /var/log/orchestrator/orchestrator.log /var/log/orchestrator/orchestrator.log.1
    in_it systemctl reload orchestrator || fail "it does not reload"
    in_it test -e /var/log/orchestrator/orchestrator.log || fail "after the reload it has no log"
}

# Longer than TimeoutStopSec: the service asks for the time.
stop_in_the_midst() {
    configure orchestrator TimeoutStopSec=1s WatchdogSec=2s
    in_it systemctl restart orchestrator
    in_it curl -sS -o /dev/null --fail -H 'Content-Type: application/json' http://127.0.0.1:8301/faults/ \
        -d '{"match": {"host": "edge00.earth"}, "on": "install_os_version", "effect": "delay", "by": "200s"}'
    in_it orchestrator upgrade-os --version 5.4.1 --host edge00.earth --detach >/dev/null
    until_true "the install" eval 'in_it curl -sS "http://127.0.0.1:8301/devices/edge00.earth/" | jq -e ".state == \"installing\"" >/dev/null'
    in_it systemctl stop orchestrator
    [ "$(of_service Result)" = success ] || fail "it was stopped in the midst of an install: $(of_service Result)"
}

was_restarted() { [ "$(of_service NRestarts) $(of_service ActiveState)" = '1 active' ]; }

watchdog() {
    in_it systemctl start orchestrator
    in_it kill -STOP "$(of_service MainPID)"
    until_true "a restart by the watchdog" was_restarted
    in_it rm -r /run/systemd/system/orchestrator.service.d /run/systemd/system/simulator.service.d
    in_it systemctl daemon-reload
}

# The package is installed once more, as a new one would be, under a service that runs; then removed and purged.
replace_and_remove() {
    local pid name
    in_it systemctl enable --quiet orchestrator
    pid=$(of_service MainPID)
    in_it sh -c 'apt-get install -y -qq --reinstall /packages/orchestrator_*.deb' >>"$folder/apt.log" 2>&1 || fail "it cannot be replaced"
    until_true "systemd" is_settled
    [ "$(of_service MainPID)" = "$pid" ] || fail "the service was restarted with its package"
    in_it apt-get remove -y -qq orchestrator orchestrator-simulator >>"$folder/apt.log" 2>&1 || fail "they cannot be removed"
    for name in orchestrator simulator; do ! in_it pgrep -x $name || fail "$name was removed, and runs on"; done
    [ -s "$root/var/lib/private/orchestrator/orchestrator.db" ] || fail "removing them has deleted the jobs"
    [ -e "$root/etc/default/orchestrator" ] || fail "removing them has deleted the options"
    in_it apt-get purge -y -qq orchestrator orchestrator-simulator >>"$folder/apt.log" 2>&1 || fail "they cannot be purged"
}

packages=("$build"/deb/orchestrator_*.deb "$build"/deb/orchestrator-simulator_*.deb)
version=$(dpkg-deb -f "${packages[0]}" Version)
say "lintian"
lintian --allow-root --fail-on warning "$build"/deb/*.changes >"$folder/lintian" || fail "$(cat "$folder/lintian")"

make_root
: >"$folder/apt.log"
mkdir "$root/packages"
cp "${packages[@]}" "$root/packages/"
apt_in_root update
# What they depend on comes first, so that what is left afterwards is theirs. man looks at the units, curl at the network.
apt_in_root satisfy "systemd, dbus, man-db, curl, $(for package in "${packages[@]}"; do dpkg-deb -f "$package" Depends; done |
    tr ',' '\n' | sed 's/^ *//' | grep -v '^orchestrator ' | paste -sd,)"
say "systemd boots it"
boot
files >"$folder/before"
say "install $version"
install_packages
say "upgrade a site"
upgrade
say "reload, stop in the midst of an install, stop feeding the watchdog"
reload
stop_in_the_midst
watchdog
say "install it anew, remove, purge"
replace_and_remove
files >"$folder/after"
diff "$folder/before" "$folder/after" >"$folder/left" || fail "left behind, or taken along: $(cat "$folder/left")"
halt
trap - EXIT
rm -rf "$root"
say "installed, upgraded a network, removed and purged without a trace"
