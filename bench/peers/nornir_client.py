"""Upgrades a network with Nornir 3, its threaded runner and batches of one host a redundancy group.

The first hosts of all groups are the first batch, the second hosts the next; a batch begins when the
one before it has ended, but for the groups that have failed. The conversation with a device is
threads_client's, so that what differs from that peer is Nornir and its batches.

Written from Nornir's documentation and not yet run with Nornir itself: it could not be installed
where this was written. Without it: exit code 77, as for a test that is skipped.
"""
import sys

import common
import threads_client

try:
    from nornir import InitNornir
    from nornir.core import Nornir
    from nornir.core.inventory import Defaults, Groups, Host, Hosts, Inventory
    from nornir.core.plugins.inventory import InventoryPluginRegister
    from nornir.core.task import Result, Task
except ImportError as missing:
    print(f"nornir_client: Nornir 3 is needed: {missing}", file=sys.stderr)
    sys.exit(77)


class SimulatorInventory:
    """The inventory at a URL; data says each host's group, and its turn in that."""

    def __init__(self, url: str) -> None:
        self.url = url

    def load(self) -> Inventory:
        hosts = Hosts()
        turns: dict[str, int] = {}
        for host in common.fetch_hosts(self.url):
            turn = turns.setdefault(host.group, 0)
            turns[host.group] += 1
            hosts[host.name] = Host(
                name=host.name,
                hostname=host.address,
                port=host.port,
                platform="acmeos",
                data={"redundancy_group": host.group, "turn": turn},
            )
        return Inventory(hosts=hosts, groups=Groups(), defaults=Defaults())


def bench_host(host: Host) -> common.Host:
    return common.Host(host.name, host.hostname, host.port, host["redundancy_group"])


def upgrade(task: Task, version: str) -> Result:
    threads_client.upgrade(bench_host(task.host), version)
    return Result(host=task.host, changed=True)


def run_batch(nornir: Nornir, turn: int, stopped: set[str], version: str, run: common.Run) -> None:
    batch = nornir.filter(
        filter_func=lambda host: host["turn"] == turn and host["redundancy_group"] not in stopped
    )
    for name, results in batch.run(task=upgrade, version=version).items():
        if results.failed:
            host = bench_host(batch.inventory.hosts[name])
            stopped.add(host.group)
            run.fail(host, results[0].exception)
        else:
            run.completed += 1


def main() -> int:
    arguments = common.parse_arguments()
    InventoryPluginRegister.register("SimulatorInventory", SimulatorInventory)
    nornir = InitNornir(
        inventory={"plugin": "SimulatorInventory", "options": {"url": arguments.inventory}},
        runner={"plugin": "threaded", "options": {"num_workers": arguments.workers}},
        logging={"enabled": False},
    )
    hosts = nornir.inventory.hosts.values()
    turns = max((host["turn"] + 1 for host in hosts), default=0)
    stopped: set[str] = set()
    with common.Run(len(hosts)) as run:
        for turn in range(turns):
            run_batch(nornir, turn, stopped, arguments.version, run)
    return run.report()


if __name__ == "__main__":
    sys.exit(main())
