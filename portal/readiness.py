"""Whether the portal does its work: the tick beats, a worker beats, and no task waits long. Two queries.

The tick queues a beat for the workers when nothing else waits: with workers gone or frozen, that one grows old.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from portal.clock import now
from portal.models import Heartbeat
from portal.queue import oldest_waiting

TICK_STALE = timedelta(minutes=1)
# A task claims locks for 45 s and its last turn lasts 60 s, its last call 25 s more: a worker that is merely busy
# beats, and takes the next task, within this time.
WORKER_STALE = STUCK = timedelta(seconds=150)


@dataclass(frozen=True, slots=True)
class Problem:
    """What does not work, since when (None: it never did), and what to do."""

    part: str
    since: datetime | None
    problem: str
    remedy: str


DATABASE_AWAY = Problem("database", None, "The database does not answer.", "See that it runs and accepts connections.")


def problems() -> list[Problem]:
    """What keeps the portal from doing its work, none if nothing does. Raises DatabaseError."""
    return list(_problems(now()))


def _problems(at: datetime) -> Iterator[Problem]:
    beats = dict(Heartbeat.objects.filter(name__in=["tick", "worker"]).values_list("name", "beat_at"))
    tick, worker, waiting = beats.get("tick"), beats.get("worker"), oldest_waiting()
    if tick is None or tick <= at - TICK_STALE:
        yield Problem("tick", tick, "The tick stands still: nothing due is found or covered.", "Restart the tick.")
    moving = waiting is not None and waiting > at - STUCK  # busy: the beat comes after what waits now
    if not moving and (worker is None or worker <= at - WORKER_STALE):
        yield Problem("worker", worker, "No worker gives a sign of life.", "Restart the workers; nothing is lost.")
    if waiting and waiting <= at - STUCK:
        yield Problem("queue", waiting, "The oldest task waits for a worker since then.", "Restart or add workers.")
