"""Commands of ours as real processes on the test's own database, and waiting for what they do. Never by the clock."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from django.db import connection

ROOT = Path(__file__).resolve().parent.parent
WITHIN = 60.0  # seconds until a test gives up: a loaded machine is slow

# A command with the watchdog's patience cut, so that a test of a frozen cluster is not mostly waiting.
HASTY = """
import sys
from django.core.management import execute_from_command_line
from portal import watchdog
watchdog.SILENCE = 7.0
execute_from_command_line(sys.argv[1:])
"""


def database_url() -> str:
    """The database of this test run, for a process of its own."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}"))


def environment(**more: str) -> dict[str, str]:
    """The children's: these settings, on the database of this test run."""
    ours = {"DJANGO_SETTINGS_MODULE": "tests.settings", "DATABASE_URL": database_url(), "QUEUE_WORKERS": "1"}
    return {**os.environ, **ours, **more}


class Running:
    """A command of ours in a process group of its own; `hasty` with a watchdog that waits for 7 s only."""

    def __init__(self, *command: str, hasty: bool = False, log: Path = Path(os.devnull), **more: str) -> None:
        program = ["-c", HASTY, "manage.py"] if hasty else ["manage.py"]
        with log.open("ab") as lines:
            self.process = subprocess.Popen(
                [sys.executable, *program, *command],
                cwd=ROOT,
                env=environment(**more),
                stdout=lines,
                stderr=lines,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    def stop(self) -> None:
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        self.kill()

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def wait_for(what: Callable[[], object], within: float = WITHIN) -> None:
    ends = time.monotonic() + within
    while not what():
        assert time.monotonic() < ends, "waited in vain"
        time.sleep(0.05)


def children(pid: int) -> list[int]:
    """The processes that this one started, the first first; none when it is gone."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def runs(pid: int) -> bool:
    """Whether the process runs; one that ended and waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
