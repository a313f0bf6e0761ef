"""What the queue runs: a lock's turn, the sweep, a sign of life. Losing or repeating one is harmless."""

import random
import time

from codes import tick
from codes.seen import seen
from devices.lease import take_asked_for, take_due, take_wanted, waits
from devices.programming import Steps, program
from devices.runner import run_many
from portal.cluster import stopping
from portal.queue import beat
from portal.work import task

CLAIMS_FOR = 45.0  # seconds for which one task takes on further locks; while its last turns end, places stand empty
ASKED_EVERY = 0.2  # seconds between looks for locks that somebody asked for


@task("lock")
def sync_lock(device_id: str) -> None:
    """Give this lock its turn, and meanwhile others that are due: waiting for a lock's answer is not working.

    Nothing if it had its turn by now: then other kinds of tasks have waited for long enough.
    """
    first = [lease] if (lease := take_wanted(device_id)) else []
    if not first and not waits(device_id):
        return
    ends = time.monotonic() + CLAIMS_FOR * random.uniform(2 / 3, 1)  # noqa: S311  spreads the workers' ends
    look_at = 0.0  # for locks that somebody asked for

    def more(room: int) -> list[Steps[None]]:
        nonlocal look_at
        if first:
            return [program(first.pop(), seen)]
        if time.monotonic() > ends or stopping():
            return []
        if time.monotonic() >= look_at:
            if lease := take_asked_for():
                return [program(lease, seen)]
            look_at = time.monotonic() + ASKED_EVERY
        return [program(lease, seen) for lease in take_due(room)]

    run_many(more)


@task()
def sweep() -> None:
    """The one-minute schedule's call; the tick makes the same one."""
    tick.sweep()


@task()
def heartbeat() -> None:
    """A worker is alive."""
    beat("worker")
