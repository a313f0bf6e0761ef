"""Locks that take their time, all due at once on one host, held against the ideal: every place always busy.

Ideal = the calls' latencies, added up ÷ the configured concurrency.
"""

import time
from collections.abc import Iterator

from django.db.models import F, Sum
from django_q.models import OrmQ

from devices.models import SimulatedLock
from devices.runner import AT_ONCE
from portal.queue import enqueue
from tests.bench.figure import Figure, at_least, at_most
from tests.bench.locks import Batch, batch
from tests.bench.run import Run
from tests.bench.running import forget_everything_due, portal, until

WORKERS = 4
CONCURRENCY = WORKERS * AT_ONCE
EVEN = 500  # ms an operation
SHORTEST, LONGEST = 100, 1800  # ms, the uneven ones


def figures(run: Run) -> Iterator[Figure]:
    locks, alone = run.choose((400, 32), (96, 4))
    size = f"{locks} locks" + (", quick: 400 without --quick" if run.quick else "")
    with portal(workers=WORKERS):
        even, ideal = _together(batch(locks, pins=1, latency=lambda number: EVEN))
        peer = f"ideal at {CONCURRENCY} at once"
        yield at_most("locks of 0.5 s an operation, all due at once", even, ideal, 1.2, unit="s", peer=peer, note=size)
        uneven, ideal = _together(batch(locks, pins=1, latency=_uneven))
        yield at_most("the same with uneven locks (0.1–1.8 s)", uneven, ideal, 1.4, unit="s", peer=peer, note=size)
    with portal(workers=WORKERS, tick=False):
        each = _one_a_task(batch(alone, pins=1, latency=lambda number: EVEN))
    yield at_least(
        "the same, one task a lock",
        locks / even,
        alone / each,
        8,
        unit="locks a second",
        peer=f"{WORKERS} workers, a lock a task",
        note=f"{alone} locks measured that way",
    )


def _together(made: Batch) -> tuple[float, float]:
    """Seconds until the last PIN is read back, and the ideal for the calls that were made."""
    began = time.time()
    made.due()
    until(lambda: not made.left(), within=300, pause=1)
    taken = made.last_confirmed() - began
    forget_everything_due()
    return taken, _ideal(made)


def _ideal(made: Batch) -> float:
    locks = SimulatedLock.objects.filter(hub__in={device.hub_id for device in made.devices})
    total = locks.aggregate(ms=Sum((F("reads") + F("writes")) * F("latency_ms")))["ms"]
    return float(total) / 1000 / CONCURRENCY


def _one_a_task(made: Batch) -> float:
    """Seconds when each lock is a task of its own and a worker waits for it."""
    began = time.time()
    for device in made.devices:
        enqueue("tests.bench.tasks.one_lock", str(device.pk))
    until(lambda: not made.left(), within=300, pause=1)
    OrmQ.objects.all().delete()
    return made.last_confirmed() - began


def _uneven(number: int) -> int:
    """Spread evenly, but not in the order of the locks."""
    return SHORTEST + (number * 37 % 100) * (LONGEST - SHORTEST) // 99
