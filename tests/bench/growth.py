"""Pages, search and tick in a great fleet, held against the same in a small one; and their plans.

Workspaces have fifty locks with twenty codes each; a great fleet has many of them.
"""

from collections.abc import Callable, Iterator
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
from tests.bench.figure import Figure, at_most, within
from tests.bench.measure import Query, queries, seconds
from tests.bench.plans import full_scans
from tests.bench.run import Run
from tests.bench.scenery import browser

FEWEST = 4  # times each work is done

type Works = dict[str, Callable[[], object]]


class Patience(NamedTuple):
    """How often each work is done at most, and for how long, in seconds."""

    rounds: int
    seconds: float


def figures(run: Run) -> Iterator[Figure]:
    small, great = run.choose((1_000, 100_000), (200, 2_000))
    patience = run.choose(Patience(40, 60.0), Patience(12, 0.6))
    before = _measured(small, patience)
    after = _measured(great, patience, there=small)
    sizes = f"{great:,} locks × {fleet.STAYS} codes, {connection.vendor}"
    for name, (ours, asked) in after.items():
        was, asked_before = before[name]
        yield at_most(
            f"{name} at {sizes}", ours * 1000, was * 1000, 1.2, unit="ms", peer=f"at {small:,} locks", note=_note(run)
        )
        more = len(asked) - len(asked_before)
        yield within(f"{name}: queries more", more, 0, unit="queries", note=f"{len(asked)} in all")
        scans = full_scans(asked)
        yield within(f"{name}: full scans", len(scans), 0, unit="scans", note="; ".join(scans))


def _note(run: Run) -> str:
    return "quick: smaller fleets; 1,000 and 100,000 without --quick" if run.quick else ""


def _measured(locks: int, patience: Patience, there: int = 0) -> dict[str, tuple[float, list[Query]]]:
    """Median seconds of each work in a fleet of so many locks, and its queries."""
    made = fleet.build(locks, there)
    found = {}
    for name, work in works(browser(made.user), made).items():
        work()
        with queries() as asked:
            work()
        found[name] = median(_timed(work, patience)), asked
    return found


def _timed(work: Callable[[], object], patience: Patience) -> Iterator[float]:
    ends_at = monotonic() + patience.seconds
    for number in range(patience.rounds):
        if number >= FEWEST and monotonic() > ends_at:
            return
        yield seconds(work)


def works(client: Client, made: fleet.Fleet) -> Works:
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
