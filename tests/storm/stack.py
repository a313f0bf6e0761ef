"""The portal as it runs: web server, queue clusters and ticks on the database that this process uses."""

import contextlib
import http.client
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from socket import create_server
from typing import Self

from tests.running import ROOT, children, environment

STARTS_WITHIN = 120.0  # seconds


class Stack:
    """`with Stack(logs) as portal:` — ready when it is entered, gone when it is left."""

    def __init__(self, logs: Path, *, web: bool = True, clusters: int = 1, ticks: int = 1, **settings: str) -> None:
        with create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1] if web else 0
        self.logs = logs
        self._argv = [sys.executable, "-m", "tests.storm.supervisor", str(logs)]
        self._argv += [str(self.port), str(clusters), str(ticks)]
        self._settings: Mapping[str, str] = {"QUEUE_WORKERS": "2", **settings}

    def __enter__(self) -> Self:
        self.logs.mkdir(parents=True, exist_ok=True)
        with (self.logs / "supervisor.log").open("ab") as log:
            environ = environment(**self._settings)
            self.process = subprocess.Popen(self._argv, cwd=ROOT, env=environ, stdout=log, stderr=log)
        try:
            eventually(self.is_ready, STARTS_WITHIN, "the portal did not start")
        except AssertionError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def is_ready(self) -> bool:
        """The web server serves and the tick beats; without a web server: a worker and a tick run."""
        assert self.process.poll() is None, (self.logs / "supervisor.log").read_text()
        if not self.port:
            return bool(self.pids("worker") and self.pids("tick"))
        return self.get("/readyz")[0] == http.client.OK

    def get(self, path: str, *, cookie: str = "", timeout: float = 30) -> tuple[int, str]:
        """Status and text of a page; status 0 when the web server is away."""
        status, text, _headers = self.ask(path, {"Cookie": cookie} if cookie else {}, timeout=timeout)
        return status, text

    def ask(self, path: str, headers: Mapping[str, str], *, timeout: float = 30) -> tuple[int, str, Mapping[str, str]]:
        """The same with the request's headers, and the answer's."""
        asked = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            asked.request("GET", path, headers=dict(headers))
            answer = asked.getresponse()
            return answer.status, answer.read().decode(), answer.headers
        except (OSError, http.client.HTTPException):
            return 0, "", {}
        finally:
            asked.close()

    # who is who

    def pids(self, role: str) -> list[int]:
        """Processes of a role: web, leader, sentinel, worker (anything a sentinel started) or tick."""
        programs = [(pid, _argv(pid)) for pid in children(self.process.pid)]
        leaders = [pid for pid, argv in programs if "--cluster" in argv]
        sentinels = [child for leader in leaders for child in children(leader)]
        masters = [pid for pid, argv in programs if "gunicorn" in argv]
        roles: dict[str, list[int]] = {
            "leader": leaders,
            "sentinel": sentinels,
            "worker": [child for sentinel in sentinels for child in children(sentinel)],
            "tick": [pid for pid, argv in programs if argv[-1:] == ["tick"]],
            "web": masters + [child for master in masters for child in children(master)],
        }
        return roles[role]

    def kill(self, role: str, dice: random.Random) -> int | None:
        """kill -9 one process of the role; None when there is none just now."""
        candidates = self.pids(role)
        if not candidates:
            return None
        victim = dice.choice(candidates)
        with contextlib.suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
        return victim


def eventually(what: Callable[[], object], within: float, otherwise: str) -> float:
    """Seconds until it was so. AssertionError when it does not come about."""
    began = time.monotonic()
    while not what():
        if time.monotonic() - began > within:
            raise AssertionError(f"{otherwise} within {within:.0f} s")
        time.sleep(0.1)
    return time.monotonic() - began


def _argv(pid: int) -> list[str]:
    try:
        return [part for part in Path(f"/proc/{pid}/cmdline").read_text().split("\0") if part]
    except (FileNotFoundError, ProcessLookupError):
        return []
