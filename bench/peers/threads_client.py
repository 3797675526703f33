"""Upgrades a network with a pool of threads and blocking sockets: a redundancy group a work item."""
import concurrent.futures
import functools
import socket
import sys
import threading
from typing import Any, NamedTuple, Optional

import common

STACK_BYTES = 256 * 1024  # of a thread; the system's 8 MiB are much for a thousand of them


class Device:
    """A connection to a device."""

    def __init__(self, host: common.Host) -> None:
        address = (host.address, host.port)
        self.socket = socket.create_connection(address, timeout=common.CONNECT_TIMEOUT_S)
        self.socket.settimeout(common.TIMEOUT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.answers = self.socket.makefile("rb")
        self.calls = 0

    def __enter__(self) -> "Device":
        return self

    def __exit__(self, *_: object) -> None:
        self.answers.close()
        self.socket.close()

    def call(self, method: str, params: Optional[dict[str, str]] = None) -> Any:
        self.calls += 1
        self.socket.sendall(common.write_request(self.calls, method, params))
        return common.read_result(self.answers.readline(), self.calls)


def upgrade(host: common.Host, version: str) -> None:
    with Device(host) as device:
        login = device.call("login", {"hostname": host.name, **common.CREDENTIALS})
        common.check_login(login, host)
        if common.version_of(device.call("get_version")) != version:
            device.call("install_os_version", {"version": version})
            running = common.version_of(device.call("get_version"))
            if running != version:
                raise common.DeviceError(f"installed {version} but the device runs {running}")
        device.call("logout")


class Outcome(NamedTuple):
    completed: int
    failed: Optional[common.Host] = None  # which ended the group
    why: Optional[Exception] = None


def upgrade_group(group: list[common.Host], version: str) -> Outcome:
    for done, host in enumerate(group):
        try:
            upgrade(host, version)
        except common.FAILURES as why:
            return Outcome(done, host, why)
    return Outcome(len(group))


def main() -> int:
    arguments = common.parse_arguments()
    hosts = common.fetch_hosts(arguments.inventory)
    groups = common.groups_of(hosts)
    work = functools.partial(upgrade_group, version=arguments.version)
    threading.stack_size(STACK_BYTES)
    with common.Run(len(hosts)) as run:
        with concurrent.futures.ThreadPoolExecutor(arguments.workers) as pool:
            for outcome in pool.map(work, groups):
                run.completed += outcome.completed
                if outcome.failed is not None:
                    run.fail(outcome.failed, outcome.why)
    return run.report()


if __name__ == "__main__":
    sys.exit(main())
