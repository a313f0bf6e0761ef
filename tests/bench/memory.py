"""What the demo's processes hold in memory, all together, and whether it grows.

PSS: a page that several processes share is counted in parts, so the sum is what the demo costs the machine.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.databases import ROOT, free_port
from tests.bench.figure import Figure, within
from tests.bench.run import Run

LIMIT = 450  # MB
FLAT = 10  # MB that the second half of the time may add
PSS = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)


def figures(run: Run) -> Iterator[Figure]:
    minutes = run.choose(10.0, 0.1)
    with tempfile.TemporaryDirectory(prefix="portal-bench-demo.") as place:
        demo = _demo(Path(place))
        try:
            assert demo.stdout is not None
            assert demo.stdout.readline().startswith("Portal ready"), "the demo did not start"
            middle, end = _after(demo, minutes / 2), _after(demo, minutes / 2)
        finally:
            demo.send_signal(signal.SIGINT)
            demo.wait(30)
    note = "PSS" if not run.quick else f"PSS; quick: after {minutes * 60:.0f} s, 10 minutes without --quick"
    yield within(f"demo, all processes, after {minutes:g} minutes", end, LIMIT, unit="MB", note=note)
    yield within("the same, grown in the second half", end - middle, FLAT, unit="MB", note=note)


def _demo(place: Path) -> "subprocess.Popen[str]":
    taken = ("DATABASE_URL", "DJANGO_SETTINGS_MODULE", "PORTAL_TEST_RUN")
    plain = {name: value for name, value in os.environ.items() if name not in taken}
    return subprocess.Popen(
        [sys.executable, "manage.py", "demo", "--port", str(free_port())],
        cwd=ROOT,
        env={**plain, "PORTAL_DATA_DIR": str(place)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def _after(demo: "subprocess.Popen[str]", minutes: float) -> float:
    time.sleep(minutes * 60)
    return sum(_pss(process) for process in _family(demo.pid)) / 1024


def _family(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from _family(int(child))


def _pss(pid: int) -> int:
    """In kB; nothing for a process that has just ended."""
    try:
        found = PSS.search(Path(f"/proc/{pid}/smaps_rollup").read_text())
    except (OSError, ProcessLookupError):
        return 0
    return int(found[1]) if found else 0
