"""What the peers share: command line, inventory, redundancy groups, the protocol's bytes, the report.

The requests are the orchestrator's to the byte: json.dumps writes what its rpc_write_request does.
"""
import argparse
import json
import sys
import time
import urllib.request
from typing import Any, NamedTuple, Optional

CONNECT_TIMEOUT_S = 5
TIMEOUT_S = 300  # of a device's whole upgrade, or of any one answer, whichever a peer finds natural
CREDENTIALS = {"username": "admin", "password": "admin"}


class Host(NamedTuple):
    name: str
    address: str
    port: int
    group: str  # site_leaf_rack for a leaf, site_devtype for the rest


class DeviceError(Exception):
    """What a device answered, or failed to."""


# What ends the upgrade of one device; ValueError is an answer that is too long or not JSON.
FAILURES = (DeviceError, OSError, ValueError)


# --- what to do


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument("--inventory", required=True, help="URL of the inventory")
    parser.add_argument("--version", required=True, help="the version to install, X.Y.Z")
    parser.add_argument("--workers", type=int, default=100, help="devices worked on at the same time (100)")
    return parser.parse_args()


def fetch_hosts(url: str) -> list[Host]:
    """The hosts in inventory order."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url) as answer:
        sites = json.load(answer)
    hosts = []
    for site, devices in sites.items():
        for name, device in devices.items():
            group = f"{site}_{device['dev_type']}"
            if device["dev_type"] == "leaf":
                group += f"_{device['rack']}"
            hosts.append(Host(name, device["hostname"], device["port"], group))
    return hosts


def groups_of(hosts: list[Host]) -> list[list[Host]]:
    groups: dict[str, list[Host]] = {}
    for host in hosts:
        groups.setdefault(host.group, []).append(host)
    return list(groups.values())


# --- the protocol: JSON-RPC 2.0, one object a line


def write_request(call_id: int, method: str, params: Optional[dict[str, str]]) -> bytes:
    request: dict[str, Any] = {"jsonrpc": "2.0", "id": call_id, "method": method}
    if params is not None:
        request["params"] = params
    return (json.dumps(request, ensure_ascii=False) + "\n").encode()


def read_result(line: bytes, call_id: int) -> Any:
    if not line.endswith(b"\n"):
        raise DeviceError("connection closed by the device")
    answer = json.loads(line)
    if not isinstance(answer, dict) or answer.get("jsonrpc") != "2.0":
        raise DeviceError("the answer is not JSON-RPC 2.0")
    if "error" in answer:
        raise DeviceError(str(answer["error"]))
    if answer.get("id") != call_id or "result" not in answer:
        raise DeviceError("the answer has another id, or no result")
    return answer["result"]


def check_login(result: Any, host: Host) -> None:
    if not isinstance(result, dict) or result.get("hostname") != host.name:
        raise DeviceError(f"reached another device: {result}")


def version_of(result: Any) -> str:
    if not isinstance(result, dict) or "full_version" not in result:
        raise DeviceError(f"no version: {result}")
    return result["full_version"]


# --- what was done


class Run:
    """Counts, and measures the block that it is entered for."""

    def __init__(self, devices: int) -> None:
        self.devices = devices
        self.completed = self.failed = 0
        self.wall_s = self.cpu_s = 0.0

    def __enter__(self) -> "Run":
        self.wall_s -= time.monotonic()
        self.cpu_s -= time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.cpu_s += time.process_time()
        self.wall_s += time.monotonic()

    def fail(self, host: Host, why: Exception) -> None:
        self.failed += 1
        print(f"{host.name}: {str(why) or type(why).__name__}", file=sys.stderr)

    def report(self) -> int:
        """Prints the line; the exit code."""
        line = {
            "devices": self.devices,
            "completed": self.completed,
            "failed": self.failed,
            "wall_s": round(self.wall_s, 6),
            "cpu_s": round(self.cpu_s, 6),
        }
        print(json.dumps(line))
        return 0 if self.completed == self.devices else 1
