"""What the queue runs: a lock's turn, the sweep, a sign of life. Losing or repeating one is harmless."""

import time

from codes import tick
from codes.seen import seen
from devices.lease import Lease, take, take_asked_for, take_due
from devices.programming import Steps, program
from devices.runner import run_many
from portal.queue import beat
from portal.work import task

CLAIMS_FOR = 20.0  # seconds for which one task takes on further locks
ASKED_EVERY = 0.2  # seconds between looks for locks that somebody asked for


@task("lock")
def sync_lock(device_id: str) -> None:
    """Give this lock its turn, and meanwhile others that are due: waiting for a lock's answer is not working."""
    ends = time.monotonic() + CLAIMS_FOR
    first = [device_id]
    look_at = 0.0  # for locks that somebody asked for

    def more() -> Steps[None] | None:
        nonlocal look_at
        while first:
            if lease := take(first.pop()):
                return _turn(lease)
        if time.monotonic() > ends:
            return None
        if time.monotonic() >= look_at:
            if lease := take_asked_for():
                return _turn(lease)
            look_at = time.monotonic() + ASKED_EVERY
        due = take_due()
        return _turn(due) if due else None

    run_many(more)


@task()
def sweep() -> None:
    """The one-minute schedule's call; the tick makes the same one."""
    tick.sweep()


@task()
def heartbeat() -> None:
    """A worker is alive."""
    beat("worker")


def _turn(lease: Lease) -> Steps[None]:
    return program(lease, seen)
