"""Pages, search and tick in a great fleet, held against the same in a small one; and their plans.

Workspaces have fifty locks with twenty codes each; a great fleet has many of them. Each fleet has a database and a
process of its own.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from statistics import median
from time import monotonic
from typing import NamedTuple

from django.db import connection
from django.test import Client
from django.urls import reverse

from codes.listing import BACKUP
from codes.notifications import notify
from codes.tick import sweep, tick
from tests.bench import fleet
from tests.bench.beside import process
from tests.bench.browser import Browser
from tests.bench.figure import Figure, at_most, within
from tests.bench.measure import queries, seconds
from tests.bench.plans import full_scans
from tests.bench.run import Run

FEWEST = 4  # rounds in which each work is done
IN_A_ROW = 3  # times it is done in a round, so that the other's round has not emptied the processor's caches for all

type Works = dict[str, Callable[[], object]]


class Patience(NamedTuple):
    """How many rounds each work is done at most, and for how long, in seconds."""

    rounds: int
    seconds: float


def figures(run: Run) -> Iterator[Figure]:
    small, great = run.choose((1_000, 100_000), (200, 2_000))
    patience = run.choose(Patience(20, 60.0), Patience(4, 0.6))
    sizes, vendor = f"{great:,} locks × {fleet.STAYS} codes", connection.vendor
    with process(os.environ["SECOND_DATABASE_URL"]) as one, process(os.environ["DATABASE_URL"]) as other:
        building = [one.submit(_build, small), other.submit(_build, great)]
        *_, names = [made.result() for made in building]
        for name in names:
            before, after = (side.submit(_asked, name).result() for side in (one, other))
            was, ours = _in_turn(name, one, other, patience=patience)
            yield at_most(
                f"{name} at {sizes}, {vendor}",
                ours * 1000,
                was * 1000,
                1.2,
                unit="ms",
                peer=f"at {small:,} locks",
                note=_note(run),
            )
            more = after.queries - before.queries
            yield within(f"{name}: queries more", more, 0, unit="queries", note=f"{after.queries} in all")
            yield within(f"{name}: full scans", len(after.scans), 0, unit="scans", note="; ".join(after.scans))


def _note(run: Run) -> str:
    return "quick: smaller fleets; 1,000 and 100,000 without --quick" if run.quick else ""


def _in_turn(name: str, *sides: Executor, patience: Patience) -> tuple[float, ...]:
    """Median seconds of the work on each side, done in turns: a machine that is slower for a while is so for both."""
    ends_at = monotonic() + patience.seconds
    taken: list[list[float]] = [[] for _ in sides]
    for number in range(patience.rounds):
        if number >= FEWEST and monotonic() > ends_at:
            break
        for times, side in zip(taken, sides, strict=True):
            times += side.submit(_timed, name).result()
    return tuple(median(times) for times in taken)


# In a process of its own

_works: Works = {}


class Asked(NamedTuple):
    queries: int
    scans: list[str]


def _build(locks: int) -> list[str]:
    made = fleet.build(locks)
    _works.update(works(Browser(made.user), made))
    return list(_works)


def _asked(name: str) -> Asked:
    _works[name]()
    with queries() as asked:
        _works[name]()
    return Asked(len(asked), full_scans(asked))


def _timed(name: str) -> list[float]:
    return [seconds(_works[name]) for _ in range(IN_A_ROW)]


def works(client: Client | Browser, made: fleet.Fleet) -> Works:
    page = reverse("device", args=[made.device.pk])
    return {
        "lock’s page": lambda: client.get(page),
        "home": lambda: client.get(reverse("home")),
        "search": lambda: client.get(reverse("search"), {"q": "guest 1"}),
        "codes": lambda: client.get(reverse("code_list")),
        "backups": lambda: client.get(reverse("code_list"), {"kind": BACKUP}),
        "tick": tick,
        "warnings": notify,
        "sweep": sweep,
    }
