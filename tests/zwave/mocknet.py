"""A Z-Wave network without hardware, run in Node: see network/mocknet.mjs. Every method waits until it has happened."""

import http.client
import json
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent / "network"
READY_WITHIN = 90.0  # seconds; about 4 on an idle machine
QUICK = {
    "ZW_REPORT": "500",
    "ZW_ATTEMPTS": "1",
    "ZW_TXDELAY": "0",
}  # the driver gives silent locks up sooner than it would in the field
HOME = "7e570001"


class Network:
    """Four locks: node 2 (User Code v2, 30 slots), 3 (v1, never confirms), 4 (v1, 5 slots), 5 (User Credential, 10)."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._port, self._control = _free_ports(2)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start with empty locks and wait until the driver has interviewed all of them."""
        shutil.rmtree(self._cache, ignore_errors=True)
        environment = {"ZW_PORT": str(self._port), "ZW_CTRL": str(self._control), "ZW_CACHE": str(self._cache), **QUICK}
        self._process = subprocess.Popen(
            ["node", "mocknet.mjs"],
            cwd=HERE,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,  # it ends when this closes, so it never outlives us
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + READY_WITHIN
        while not self._ready():
            assert self._process.poll() is None, "The Z-Wave network ended by itself."
            assert time.monotonic() < deadline, f"The Z-Wave network is not ready after {READY_WITHIN:g} s."
            time.sleep(0.1)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def fault(self, node: int, fault: str | None = None, **settings: Any) -> None:
        """Give a lock a fault, None heals it. `wiped` empties the lock; `delayMs=` slows its answers down."""
        if fault == "wiped":
            self._post("/wipe", node=node)
        else:
            self._post("/fault", node=node, fault=fault, **settings)

    def plant(self, node: int, slot: int, pin: str, **settings: Any) -> None:
        """Somebody programs a code at the keypad; `enabled=False` leaves it switched off."""
        self._post("/plant", node=node, slot=slot, pin=pin, **settings)

    def reset(self) -> None:
        """Heal and empty all locks."""
        self._post("/reset")

    def state(self) -> dict[int, dict[str, Any]]:
        """What is truly on each lock, by node: codes and users by slot (as text), fault, number of writes heard."""
        return {int(node): lock for node, lock in self._request("GET", "/state")["locks"].items()}

    def codes(self, node: int) -> dict[int, str]:
        """The PINs truly on a lock, by slot."""
        return {int(slot): pin for slot, pin in self.state()[node]["codes"].items()}

    def _ready(self) -> bool:
        try:
            return bool(self._request("GET", "/state")["ready"])
        except (OSError, http.client.HTTPException):
            return False

    def _post(self, path: str, **body: Any) -> None:
        self._request("POST", path, body)

    def _request(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self._control, timeout=10)
        try:
            connection.request(method, path, json.dumps(body) if body else None)
            answer: dict[str, Any] = json.load(connection.getresponse())
            return answer
        finally:
            connection.close()


def install() -> str:
    """Install the network's packages if they are missing. Gives what stands in the way, as a sentence; else nothing."""
    if not shutil.which("node") or not shutil.which("npm"):
        return "Node and npm are missing: install Node 20 or newer (Debian: apt-get install nodejs npm)."
    if (HERE / "node_modules").is_dir():
        return ""
    done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=HERE, capture_output=True, text=True)
    if done.returncode:
        shutil.rmtree(HERE / "node_modules", ignore_errors=True)
        return f"npm ci failed in tests/zwave/network: {done.stderr.strip()[-500:]}"
    return ""


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
