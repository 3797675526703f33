#!/usr/bin/python3
"""A stand-in orchestrator that knows no redundancy groups: each step on all devices at once.

It keeps spec/contract.md in all else. So it shows what an orchestrator needs to be tested by
`scenario run --orchestrator`, and that the referee convicts one that upgrades a pair at the same time.
"""
import argparse
import json
import signal
import socket
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Device:
    def __init__(self, name, host):
        self.name, self.host, self.failed = name, host, False

    def call(self, method, **params):
        self.lines.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}) + "\n")
        self.lines.flush()
        return json.loads(self.lines.readline())["result"]

    def login(self, version):
        self.sock = socket.create_connection((self.host["hostname"], self.host["port"]), timeout=30)
        self.lines = self.sock.makefile("rw", encoding="utf-8", newline="\n")
        self.call("login", hostname=self.name, username="admin", password="admin")
        self.runs = self.call("get_version")["full_version"]

    def install(self, version):
        if self.runs != version:
            self.call("install_os_version", version=version)

    def verify(self, version):
        self.failed = self.call("get_version")["full_version"] != version
        self.call("logout")
        self.sock.close()

    def play(self, step, version):
        try:
            self.failed or step(self, version)
        except (OSError, ValueError, KeyError):
            self.failed = True


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        sites, types = asked.get("filter_sites"), asked.get("filter_dev_types")
        with urllib.request.urlopen(options.inventory) as answer:
            inventory = json.load(answer)
        devices = [Device(name, host) for site, hosts in inventory.items() for name, host in hosts.items()
                   if (sites is None or site in sites) and (types is None or host["dev_type"] in types)]
        with ThreadPoolExecutor(max_workers=100) as pool:
            for step in (Device.login, Device.install, Device.verify):
                list(pool.map(lambda device: device.play(step, asked["version"]), devices))
        body = json.dumps({"failed": [d.name for d in devices if d.failed], "skipped": [],
                           "completed": [d.name for d in devices if not d.failed]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


parser = argparse.ArgumentParser()
for option in ("--listen", "--inventory", "--log"):
    parser.add_argument(option, required=True)
options = parser.parse_args()
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
address, port = options.listen.rsplit(":", 1)
server = ThreadingHTTPServer((address, int(port)), Handler)
print(f"orchestrator: listening on http://{address}:{server.server_port}", flush=True)
server.serve_forever()
