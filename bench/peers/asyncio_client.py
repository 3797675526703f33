"""Upgrades a network with asyncio streams: a task a redundancy group, a semaphore for the workers."""
import asyncio
import contextlib
import sys
from typing import Any, Optional

import common


class Device:
    """A connection to a device; asyncio sets TCP_NODELAY."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.calls = 0

    async def call(self, method: str, params: Optional[dict[str, str]] = None) -> Any:
        self.calls += 1
        self.writer.write(common.write_request(self.calls, method, params))
        await self.writer.drain()
        return common.read_result(await self.reader.readline(), self.calls)

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()


async def converse(device: Device, host: common.Host, version: str) -> None:
    login = await device.call("login", {"hostname": host.name, **common.CREDENTIALS})
    common.check_login(login, host)
    if common.version_of(await device.call("get_version")) != version:
        await device.call("install_os_version", {"version": version})
        running = common.version_of(await device.call("get_version"))
        if running != version:
            raise common.DeviceError(f"installed {version} but the device runs {running}")
    await device.call("logout")


async def upgrade(host: common.Host, version: str) -> None:
    async with asyncio.timeout(common.CONNECT_TIMEOUT_S):
        device = Device(*await asyncio.open_connection(host.address, host.port))
    try:
        async with asyncio.timeout(common.TIMEOUT_S):
            await converse(device, host, version)
    finally:
        await device.close()


async def upgrade_group(
    group: list[common.Host], version: str, workers: asyncio.Semaphore, run: common.Run
) -> None:
    for host in group:
        async with workers:
            try:
                await upgrade(host, version)
            except common.FAILURES as why:
                run.fail(host, why)
                return
        run.completed += 1


async def main() -> int:
    arguments = common.parse_arguments()
    hosts = common.fetch_hosts(arguments.inventory)
    groups = common.groups_of(hosts)
    workers = asyncio.Semaphore(arguments.workers)
    with common.Run(len(hosts)) as run:
        async with asyncio.TaskGroup() as tasks:
            for group in groups:
                tasks.create_task(upgrade_group(group, arguments.version, workers, run))
    return run.report()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
