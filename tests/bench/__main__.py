"""`uv run python -m tests.bench [--quick] [--json] [--postgres URL] [FIGURE…]`: measure, print, exit 0."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.databases import ROOT, Databases, environment, postgres_server
from tests.bench.figure import Figure, unknown
from tests.bench.groups import GROUPS, NAMES, Group, On

LANES = 3  # groups measured at once with --quick: most of them wait for locks
QUICK_LASTS = 42.0  # seconds; what is not measured by then says so, and the rest is tidying up
SLOW = ("growth", "waiting", "urgent", "hosts", "memory")  # last in a quick run, so that they take no other's time
SOONEST = 5.0  # seconds within which no group has measured anything
TIDYING = 4.0  # seconds a group has to end its processes
NO_POSTGRES = "needs PostgreSQL: install it (Debian: apt-get install postgresql) or give --postgres URL"


def arguments(words: Sequence[str] | None = None) -> Namespace:
    parser = ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller sizes: done within 50 s on 2 cores")
    parser.add_argument("--json", action="store_true", help="a list of objects instead of a table")
    parser.add_argument("--postgres", metavar="URL", help="a server to make databases on, instead of one of its own")
    parser.add_argument("figures", metavar="FIGURE", nargs="*", help=f"only these: {', '.join(NAMES)}")
    chosen = parser.parse_args(words)
    if strange := set(chosen.figures) - set(NAMES):
        parser.error(f"no such figure: {', '.join(sorted(strange))}. There are {', '.join(NAMES)}.")
    return chosen


def main(words: Sequence[str] | None = None) -> None:
    chosen = arguments(words)
    found: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="portal-bench.") as place:
        directory = Path(place)
        directory.chmod(0o711)  # the database's user must get through
        os.environ["PORTAL_DATA_DIR"] = str(directory / "data")
        if chosen.postgres:
            found = list(measured(chosen, Databases(directory, chosen.postgres)))
        else:
            with postgres_server(directory) as server:
                found = list(measured(chosen, Databases(directory, server)))
    if chosen.json:
        print(json.dumps([figure.to_json() for figure in found], indent=2))  # noqa: T201  what was asked for
    else:
        Console(width=None if sys.stdout.isatty() else 190).print(table(found))


def measured(chosen: Namespace, databases: Databases) -> Iterator[Figure]:
    """The chosen groups, one after the other: a second one would disturb the first. Quick ones, side by side."""
    wanted = [group for group in GROUPS if not chosen.figures or group.name in chosen.figures]
    if chosen.quick:
        wanted.sort(key=lambda group: group.name in SLOW)
    ends_at = time.monotonic() + QUICK_LASTS if chosen.quick else None
    try:
        with ThreadPoolExecutor(LANES if chosen.quick else 1) as lanes:
            for found in lanes.map(lambda group: list(_group(group, databases, ends_at)), wanted):
                yield from found
    finally:
        databases.close()


def table(found: Sequence[Figure]) -> Table:
    drawn = Table(title="How fast", title_justify="left")
    for head in ("figure", "ours", "floor or peer", "ratio", "goal", "", "note"):
        drawn.add_column(head, justify="right" if head in ("ours", "floor or peer", "ratio", "goal") else "left")
    for line in found:
        mark = {True: "✓", False: "✗", None: "–"}[line.met]
        peer = f"{_number(line.against, line.unit)} {line.peer}".strip()
        ratio = f"{line.ratio:.2f} ×" if line.ratio is not None else ""
        drawn.add_row(line.figure, _number(line.ours, line.unit), peer, ratio, line.goal, mark, line.note)
    return drawn


def _group(group: Group, databases: Databases, ends_at: float | None) -> Iterator[Figure]:
    """`ends_at`, of the monotonic clock: a quick run's end."""
    if ends_at and time.monotonic() > ends_at - SOONEST:
        yield _too_late(group)
        return
    if group.on == On.NOWHERE:
        yield from _child(group, "", ends_at)
        return
    if databases.server is None and group.on == On.POSTGRES:
        yield from (unknown(title, goal, NO_POSTGRES) for title, goal in group.figures)
        return
    either = (databases.server is not None,)
    both = either if ends_at else (True, False)  # there is no time for both in a quick run
    kinds = {On.BOTH: both, On.POSTGRES: (True,), On.EITHER: either}[group.on]
    for postgres in kinds:
        if postgres and databases.server is None:
            yield unknown(f"{group.name} on PostgreSQL", "", NO_POSTGRES)
            continue
        with ExitStack() as stack:
            url = stack.enter_context(databases.fresh(group.name, postgres=postgres))
            if group.two:
                second = stack.enter_context(databases.fresh(f"{group.name}_second", postgres=postgres))
                yield from _child(group, url, ends_at, SECOND_DATABASE_URL=second)
            else:
                yield from _child(group, url, ends_at)


def _child(group: Group, url: str, ends_at: float | None, **more: str) -> Iterator[Figure]:
    """Run the group in a process of its own. One that breaks, or is late, says so in its row, and the others go on."""
    command = [sys.executable, "-m", "tests.bench.run", group.name, *(["--quick"] if ends_at else [])]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    child = subprocess.Popen(command, cwd=ROOT, env=environment(url, **more), start_new_session=True, **pipes)
    late = False
    try:
        told, errors = child.communicate(timeout=max(1.0, ends_at - time.monotonic()) if ends_at else None)
    except subprocess.TimeoutExpired:
        late, (told, errors) = True, _end(child)
    for line in told.splitlines():
        if line.startswith('{"figure"'):
            yield Figure(**json.loads(line))
    if late:
        yield _too_late(group)
    elif child.returncode:
        sys.stderr.write(errors)
        last = errors.strip().splitlines()
        yield unknown(group.name, "", f"broke: {last[-1] if last else child.returncode}")


def _end(child: "subprocess.Popen[str]") -> tuple[str, str]:
    """Let it and its processes end by themselves, then make them; what it had told by then."""
    os.killpg(child.pid, signal.SIGINT)
    try:
        return child.communicate(timeout=TIDYING)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        return child.communicate()


def _too_late(group: Group) -> Figure:
    return unknown(group.name, "", f"not within a quick run's time: python -m tests.bench {group.name}")


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    return f"{value:,.0f} {unit}".rstrip() if abs(value) >= 100 else f"{value:.3g} {unit}".rstrip()


if __name__ == "__main__":
    main()
