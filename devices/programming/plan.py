"""What a lock's PINs ask for next, and when. Pure: rows and an instant in, a decision out."""

import random
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from devices.models import Device, Pin
from devices.providers.base import Capabilities

NEAR = timedelta(hours=24)  # a stay this close comes before removals
FULL_READ_EVERY = timedelta(hours=6)  # a battery matters
RETRY_FIRST, RETRY_MOST = timedelta(minutes=1), timedelta(minutes=30)
RETRY_MOST_WITH_GUEST = timedelta(seconds=30)
SILENT_FIRST, SILENT_MOST = timedelta(seconds=5), timedelta(minutes=15)
SILENT_MOST_WITH_GUEST = timedelta(seconds=30)
ARRIVING = timedelta(minutes=30)  # a guest with a PIN that works is waited on from then; others from their give-up


class Action(StrEnum):
    WRITE = "write"
    REMOVE = "remove"
    READ = "read"


@dataclass(frozen=True, slots=True)
class Job:
    action: Action
    pin: Pin


def over(pin: Pin, at: datetime) -> bool:
    """Its window has ended."""
    return pin.wanted_until is not None and pin.wanted_until <= at


def must_leave(pin: Pin, at: datetime) -> bool:
    """It may be on the lock and should not be."""
    return pin.maybe_on_lock and (pin.wanted == Pin.Wanted.ABSENT or over(pin, at))


def never_tried(pin: Pin, at: datetime) -> bool:
    """No longer wanted before it was ever sent."""
    unwanted = pin.wanted == Pin.Wanted.ABSENT or over(pin, at)
    return unwanted and pin.status in (Pin.Status.PLANNED, Pin.Status.GONE)


def wants_place(pin: Pin, at: datetime) -> bool:
    """It should be on the lock by now."""
    begun = pin.program_at is None or pin.program_at <= at
    return pin.wanted == Pin.Wanted.PRESENT and begun and not over(pin, at)


def needs_write(pin: Pin, at: datetime) -> bool:
    """It should be on the lock by now, and is not there, or not for all of its window.

    One that may be on the lock already is not left there with a window that is not its stay's, however far ahead.
    """
    if pin.wanted != Pin.Wanted.PRESENT or over(pin, at):
        return False
    if pin.believed:
        return not pin.seen_window.covers(pin.window)
    return pin.maybe_on_lock or (pin.status in (Pin.Status.PLANNED, Pin.Status.GONE) and wants_place(pin, at))


def needs_reading(pin: Pin, at: datetime) -> bool:
    """Nobody knows whether it is there, and it is not to be written: looking is all that settles it."""
    unknown = pin.status in (Pin.Status.UNKNOWN, Pin.Status.WRITING)
    return unknown and pin.wanted == Pin.Wanted.TOLERATED and not over(pin, at)


def rested(pin: Pin, at: datetime) -> bool:
    """Its retry, if it waits for one, is due."""
    return pin.next_attempt_at is None or pin.next_attempt_at <= at


def next_job(pins: Iterable[Pin], at: datetime, done: Collection[int], *, room: bool) -> Job | None:
    """The most urgent thing to do: guests who stay or arrive soon, removals, other guests, spares.

    Without room for another PIN removals go first, for they make it. `done` are the PINs this turn has tried.
    """
    jobs = [job for pin in pins if pin.pk not in done and rested(pin, at) for job in _jobs(pin, at)]
    return min(jobs, key=lambda job: _urgency(job, at, room=room), default=None)


def next_due(device: Device, pins: Sequence[Pin], at: datetime) -> datetime:
    """When this lock is due again: the next start, end, give-up or retry, a full read, or a probe if it is silent."""
    if device.failures:
        return at + silence(device.failures, somebody_waits(pins, at))
    moments = [at if device.read_wanted else (device.read_at or at) + FULL_READ_EVERY]
    for pin in pins:
        if _jobs(pin, at):
            moments.append(pin.next_attempt_at or at)
        if device.caps and in_doubt(pin):
            moments.append(may_still_land(pin, device.caps, at) or at)
        moments += [moment for moment in (pin.program_at, pin.wanted_until, pin.give_up_at) if moment and moment > at]
    return max(min(moments), at)


def somebody_waits(pins: Iterable[Pin], at: datetime) -> bool:
    """A guest is staying or about to arrive, or is past the moment at which we stopped waiting for the PIN."""
    return any(waited_for(pin, at) for pin in pins)


def waited_for(pin: Pin, at: datetime) -> bool:
    """A guest needs this PIN now or soon: one of their own that is not covered, or their backup."""
    if pin.priority != Pin.Priority.PERSON or pin.wanted != Pin.Wanted.PRESENT or over(pin, at):
        return False
    arrived = pin.wanted_from is not None and pin.wanted_from <= at + ARRIVING
    return arrived or (pin.give_up_at is not None and pin.give_up_at <= at)


def retry(attempts: int, guest_waits: bool = False) -> timedelta:
    """How long one PIN's failed write or removal rests, ±20 % so that none march in step.

    1 min doubling to 30; 30 s at most while a guest waits for it.
    """
    most = RETRY_MOST_WITH_GUEST if guest_waits else RETRY_MOST
    rest: timedelta = min(RETRY_FIRST * 2 ** min(max(attempts, 1) - 1, 10), most)
    return rest * random.uniform(0.8, 1.2)  # noqa: S311  spreads load, guards nothing


def retry_of(pin: Pin, at: datetime) -> datetime:
    """When a PIN whose write just failed is tried again."""
    return at + retry(max(pin.attempts, 1), waited_for(pin, at))


def silence(failures: int, guest_waits: bool) -> timedelta:
    """How long a lock that does not answer rests: 5 s doubling to 15 min, 30 s at most while a guest is concerned."""
    most = SILENT_MOST_WITH_GUEST if guest_waits else SILENT_MOST
    rest: timedelta = min(SILENT_FIRST * 2 ** min(max(failures, 1) - 1, 10), most)
    return rest


def may_still_land(pin: Pin, caps: Capabilities, at: datetime) -> datetime | None:
    """Until when a write of it that ended unknown can still land; None when that is past."""
    if pin.unknown_at is None:
        return None
    until = pin.unknown_at + timedelta(seconds=caps.max_late)
    return until if until > at else None


def in_doubt(pin: Pin) -> bool:
    """It was read on the lock, but an earlier write of it, perhaps for another window, went unanswered."""
    return pin.status == Pin.Status.SET and pin.unknown_at is not None


def _jobs(pin: Pin, at: datetime) -> list[Job]:
    if must_leave(pin, at):
        return [Job(Action.REMOVE, pin)]
    if needs_reading(pin, at):
        return [Job(Action.READ, pin)]
    return [Job(Action.WRITE, pin)] if needs_write(pin, at) else []


def _urgency(job: Job, at: datetime, *, room: bool) -> tuple[int, float]:
    pin = job.pin
    if job.action == Action.REMOVE:
        return 1 if room else -1, (pin.wanted_until or at).timestamp()
    if pin.priority == Pin.Priority.SPARE:
        return 3, pin.created_at.timestamp()
    starts = pin.wanted_from or at
    return 0 if starts <= at + NEAR else 2, starts.timestamp()
