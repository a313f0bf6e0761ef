"""Giving locks their turns in this process, for commands that must not depend on the workers."""

import time
from collections import deque
from collections.abc import Callable, Iterable
from uuid import UUID

from codes.seen import seen
from devices.lease import Lease, speakable, take
from devices.models import Device
from devices.programming import Steps, program
from devices.runner import run_many

LOOK_AGAIN = 0.3  # seconds before a lock that somebody holds is asked for again
TRIES = 20  # locks asked for at a time while all of them are held

type TurnOf = Callable[[Lease], Steps[None]]


def whole_turn(lease: Lease) -> Steps[None]:
    """The engine's turn, as a worker gives it."""
    return program(lease, seen)


def give_turns(
    device_ids: Iterable[UUID], turn: TurnOf = whole_turn, *, seconds: float, ended: Callable[[UUID], None]
) -> list[UUID]:
    """Give each lock one turn here, side by side, under its lease like any worker; those not reached in time.

    A lock that a worker holds, or whose hub is busy, is asked for again until `seconds` are over; one whose hub is down
    is not. `ended` is called whenever a turn ends, whatever came of it.
    """
    waiting, ends = deque(device_ids), time.monotonic() + seconds
    unreached: list[UUID] = []

    def more(room: int) -> list[Steps[None]]:
        for _ in range(min(len(waiting), TRIES)):
            pk = waiting.popleft()
            if lease := take(pk):
                return [_told(turn(lease), pk, ended)]
            waiting.append(pk)
        return []

    while waiting and time.monotonic() < ends:
        run_many(more)
        down = _behind_a_dead_hub(waiting)
        unreached += down
        waiting = deque(pk for pk in waiting if pk not in down)
        if waiting:
            time.sleep(LOOK_AGAIN)
    return [*unreached, *waiting]


def _behind_a_dead_hub(device_ids: Iterable[UUID]) -> list[UUID]:
    return list(Device.objects.filter(pk__in=device_ids).exclude(speakable()).values_list("pk", flat=True))


def _told(steps: Steps[None], pk: UUID, ended: Callable[[UUID], None]) -> Steps[None]:
    try:
        yield from steps
    finally:
        ended(pk)
