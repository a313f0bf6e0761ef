"""`uv run python -m tests.bench [--quick] [--json] [--postgres URL] [FIGURE…]`: measure, print, exit 0."""

import json
import os
import subprocess
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.databases import ROOT, Databases, environment, postgres_server
from tests.bench.figure import Figure, unknown
from tests.bench.groups import GROUPS, NAMES, Group, On

LANES = 3  # groups measured at once with --quick: most of them wait for locks
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
    try:
        with ThreadPoolExecutor(LANES if chosen.quick else 1) as lanes:
            for found in lanes.map(lambda group: list(_group(group, databases, quick=chosen.quick)), wanted):
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


def _group(group: Group, databases: Databases, *, quick: bool) -> Iterator[Figure]:
    if group.on == On.NOWHERE:
        yield from _child(group, "", quick=quick)
        return
    if databases.server is None and group.on == On.POSTGRES:
        yield from (unknown(title, goal, NO_POSTGRES) for title, goal in group.figures)
        return
    kinds = {On.BOTH: (True, False), On.POSTGRES: (True,), On.EITHER: (databases.server is not None,)}[group.on]
    for postgres in kinds:
        if postgres and databases.server is None:
            yield unknown(f"{group.name} on PostgreSQL", "", NO_POSTGRES)
            continue
        with databases.fresh(group.name, postgres=postgres) as url:
            yield from _child(group, url, quick=quick)


def _child(group: Group, url: str, *, quick: bool) -> Iterator[Figure]:
    """Run the group in a process of its own. One that breaks says so in its row, and the others go on."""
    command = [sys.executable, "-m", "tests.bench.run", group.name, *(["--quick"] if quick else [])]
    ended = subprocess.run(command, cwd=ROOT, env=environment(url), capture_output=True, text=True)
    for line in ended.stdout.splitlines():
        if line.startswith('{"figure"'):
            yield Figure(**json.loads(line))
    if ended.returncode:
        sys.stderr.write(ended.stderr)
        last = ended.stderr.strip().splitlines()
        yield unknown(group.name, "", f"broke: {last[-1] if last else ended.returncode}")


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    return f"{value:,.0f} {unit}".rstrip() if abs(value) >= 100 else f"{value:.3g} {unit}".rstrip()


if __name__ == "__main__":
    main()
