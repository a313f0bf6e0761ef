"""The embedded default provider: locks that exist in the table SimulatedLock alone, each with a fault to switch.

A call takes the lock's latency in its own thread and outside any transaction. A write lands when its latency is
over, whether its caller still waits, has met its deadline (then the outcome is unknown) or was killed.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import sleep
from typing import Any

from django.db import models, transaction

from devices.models import Hub, SimulatedLock
from devices.providers import simulated_lock as truth
from devices.providers.base import (
    Capabilities,
    Handle,
    Health,
    LockInfo,
    NoAnswer,
    Observation,
    Outcome,
    ReadBack,
    Reason,
    Result,
    Seen,
    Unreachable,
    Window,
)
from devices.providers.shared_connection import on_database
from devices.providers.simulated_lock import Content, Fault, Stored, Write
from portal.clock import now
from portal.database import as_id
from portal.prepared import Given, Prepared, PreparedUpdate, columns_of, rows_of
from portal.secret import Secret

MARK_GRACE = 5  # seconds past its deadline a writer's mark still counts; later a killed process left it there
MARK_LASTS = 60  # seconds a mark counts at most
LOOK = f"""
    UPDATE {SimulatedLock._meta.db_table} SET reads = reads + %s
    WHERE hub_id = %s AND lock_ref = %s AND latency_ms <= %s
    RETURNING {columns_of(SimulatedLock)}"""  # noqa: S608  names of ours
STATE = ["codes", "pending", "next_code_id", "writer", "two_writers", "writes"]
SWITCHED = ["fault", "latency_ms", "late_ms"]
LONGEST = 2**31 - 1  # ms, of a latency
FIELDS = {field.name: field for field in SimulatedLock._meta.concrete_fields}


def _one() -> models.QuerySet[SimulatedLock]:
    return SimulatedLock.objects.filter(
        hub=Given("hub", models.UUIDField()), lock_ref=Given("lock_ref", models.CharField())
    )


def _as_it_was() -> models.QuerySet[SimulatedLock]:
    still = {name: Given(f"was_{name}", FIELDS[name]) for name in (*STATE, *SWITCHED)}
    return SimulatedLock.objects.filter(pk=Given("pk", models.BigIntegerField()), **still)


LOCK = Prepared(_one)
LOCK_TO_CHANGE = Prepared(lambda: _one().select_for_update())
SAVE = PreparedUpdate(_as_it_was, **{name: Given(name, FIELDS[name]) for name in STATE})

type Recipe = Callable[[Capabilities], Stored | None]  # what a write leaves in its place, on a lock that can so much


@dataclass(frozen=True, slots=True)
class Call:
    """A write on its way. `rest`: what the lock is still to obey, or the answer where that is certain already."""

    mark: str
    latency: float
    rest: Write | Outcome
    lock: SimulatedLock  # as it was sent to
    lands: bool = False  # by itself, when the latency is over


class SimulatorProvider:
    """Implements LockProvider for one hub of simulated locks."""

    def __init__(self, hub: Hub) -> None:
        self._hub_id = hub.pk
        # What is most likely still so. Nothing is written on the strength of it unless the lock's row bears it out.
        self._latency: dict[str, int] = {}  # ms, when last asked
        self._empty: dict[str, SimulatedLock] = {}  # whose place was just read as empty: it is written to next

    def discover(self, *, deadline: float) -> Sequence[LockInfo]:
        return on_database(self._discover)

    def capabilities(self, lock_ref: str, *, deadline: float) -> Capabilities:
        return truth.capabilities_of(self._asked(lock_ref, deadline, reads=0))

    def health(self, lock_ref: str, *, deadline: float) -> Health:
        return Health(online=True, battery=self._asked(lock_ref, deadline, reads=0).battery)

    def read_all(self, lock_ref: str, *, deadline: float) -> Sequence[Observation]:
        lock = self._asked(lock_ref, deadline)
        if truth.capabilities_of(lock).read_back is ReadBack.NONE:
            raise NoAnswer("This lock cannot be read.")
        return truth.observe_all(lock)

    def read(self, lock_ref: str, handle: Handle, *, deadline: float) -> Observation:
        try:
            lock = self._asked(lock_ref, deadline)
        except (Unreachable, NoAnswer):
            return Observation(Seen.NO_ANSWER, handle)
        found = truth.observe(lock, handle)
        if found.seen is Seen.EMPTY:
            self._empty[lock_ref] = lock
        return found

    def put(
        self, lock_ref: str, handle: Handle, pin: Secret, label: str, window: Window, *, deadline: float
    ) -> Outcome:
        return self._write(lock_ref, handle, lambda caps: truth.stored(caps, pin, label, window), deadline)

    def remove(self, lock_ref: str, handle: Handle, *, deadline: float) -> Outcome:
        return self._write(lock_ref, handle, lambda caps: None, deadline)

    def _discover(self) -> list[LockInfo]:
        locks = SimulatedLock.objects.filter(hub_id=self._hub_id).order_by("pk")
        return [
            LockInfo(
                lock_ref=lock.lock_ref,
                name=lock.name,
                make=lock.make,
                model=lock.model,
                capabilities=truth.capabilities_of(lock),
                battery=lock.battery,
            )
            for lock in locks
        ]

    # Reading

    def _asked(self, lock_ref: str, deadline: float, *, reads: int = 1) -> SimulatedLock:
        """The lock as it is after its latency. Raises Unreachable or NoAnswer."""
        longest = int(1000 * deadline)  # ms, like the others
        waited, lasts = 0, min(self._latency.get(lock_ref, 0), longest)
        while True:
            if lasts > waited:
                sleep((lasts - waited) / 1000)
            waited = lasts
            lock = on_database(self._look, lock_ref, reads, waited if waited < longest else LONGEST)
            lasts = min(lock.latency_ms, longest)
            if lasts <= waited:
                break
        self._latency[lock_ref] = lock.latency_ms
        if lock.fault == Fault.UNREACHABLE:
            raise Unreachable(f"{lock.name} is out of reach.")
        if lock.fault == Fault.MUTE or lock.latency_ms > longest:
            raise NoAnswer(f"{lock.name} did not answer.")
        return lock

    def _look(self, lock_ref: str, reads: int, waited: int) -> SimulatedLock:
        """The lock; counted as looked at unless it takes longer than was waited, in ms. Raises Unreachable."""
        counted = rows_of(SimulatedLock, LOOK, [reads, as_id(self._hub_id), lock_ref, waited])
        lock = counted[0] if counted else self._found(LOCK, lock_ref)
        return _touched(lock.pk) if counted and truth.lands_by(lock, now()) else lock

    # Writing: sent in one step, answered in another, the latency between them

    def _write(self, lock_ref: str, handle: Handle, recipe: Recipe, deadline: float) -> Outcome:
        try:
            call = on_database(self._send, lock_ref, handle, recipe, deadline)
        except Unreachable as error:
            return Outcome(Result.UNREACHABLE, detail=str(error))
        if isinstance(call, Outcome):
            return call
        sleep(min(call.latency, deadline))
        return on_database(self._answer, lock_ref, call)

    def _send(self, lock_ref: str, handle: Handle, recipe: Recipe, deadline: float) -> Call | Outcome:
        """From here on the write lands even if the caller is killed. An outcome: a lock without latency is done."""
        known = self._empty.pop(lock_ref, None)
        return self._changed(lock_ref, lambda lock: _sent(lock, handle, recipe, deadline), known)

    def _answer(self, lock_ref: str, call: Call) -> Outcome:
        return self._changed(lock_ref, lambda lock: _answered(lock, call), call.lock)

    def _changed[T](self, lock_ref: str, change: Callable[[SimulatedLock], T], known: SimulatedLock | None) -> T:
        """What `change` gives, which moves the lock's state: all of it at once, on nothing that moved meanwhile.

        `known`: how it was last seen. Where it is not so any more, it is read again.
        """
        lock = known or self._found(LOCK, lock_ref)
        was = _as_read(lock)
        answer = change(lock)
        if not _saved(lock, was):
            with transaction.atomic():
                lock = self._found(LOCK_TO_CHANGE, lock_ref)
                answer = change(lock)
                lock.save(update_fields=STATE)
        return answer

    def _found(self, query: Prepared[SimulatedLock], lock_ref: str) -> SimulatedLock:
        for lock in query(hub=self._hub_id, lock_ref=lock_ref):
            return lock
        raise Unreachable("The hub knows no such lock.")


def opens(lock: SimulatedLock, digits: str, at: datetime) -> bool:
    """Whether the door opens for these digits at that time, with what is on the lock now."""
    return truth.lets_in(touched(lock), digits, at)


def contents(lock: SimulatedLock) -> list[Content]:
    """What is truly on the lock now."""
    return truth.contents(touched(lock))


def switch(lock: SimulatedLock, **how: Any) -> None:
    """Change how the lock behaves from now on: `fault`, `latency_ms`, `late_ms`, `battery`. Late writes still land."""
    on_database(SimulatedLock.objects.filter(pk=lock.pk).update, **how)


def wipe(lock: SimulatedLock) -> None:
    """Take every code off the lock behind everybody's back, as a reset to factory settings does."""
    on_database(_wipe, lock.pk)


def touched(lock: SimulatedLock) -> SimulatedLock:
    """The lock as it is now: read afresh, with every late write landed that is due."""
    return on_database(_touched, lock.pk)


@transaction.atomic
def _wipe(pk: int) -> None:
    lock = _touched(pk)
    lock.codes = {}
    lock.save(update_fields=["codes"])


@transaction.atomic
def _touched(pk: int) -> SimulatedLock:
    lock = SimulatedLock.objects.select_for_update().get(pk=pk)
    truth.land(lock, now())
    lock.save(update_fields=STATE)
    return lock


def _as_read(lock: SimulatedLock) -> dict[str, Any]:
    return {f"was_{name}": getattr(lock, name) for name in (*STATE, *SWITCHED)}


def _saved(lock: SimulatedLock, was: dict[str, Any]) -> bool:
    """Write the lock's state, unless it moved or was switched since it was read."""
    return SAVE(pk=lock.pk, **was, **{name: getattr(lock, name) for name in STATE}) > 0


def _sent(lock: SimulatedLock, handle: Handle, recipe: Recipe, deadline: float) -> Call | Outcome:
    truth.land(lock, now())
    latency, caps = lock.latency_ms / 1000, truth.capabilities_of(lock)
    if lock.fault == Fault.UNREACHABLE:
        return Call("", latency, Outcome(Result.UNREACHABLE, detail=f"{lock.name} is out of reach."), lock)
    if not truth.speaks(caps, handle):
        return Call("", latency, Outcome(Result.REJECTED, Reason.UNSUPPORTED), lock)
    write = truth.write_to(lock, handle, recipe(caps))
    lock.writes += 1
    if not latency and lock.fault != Fault.LATE and not lock.writer:
        return truth.obey(lock, write)
    mark = _mark(lock, deadline)
    landing = latency + (lock.late_ms / 1000 if lock.fault == Fault.LATE else 0)
    if landing or lock.fault == Fault.LATE:
        truth.queue(lock, write, now() + timedelta(seconds=landing), mark)
    lost = lock.fault == Fault.LATE or latency > deadline
    return Call(mark, latency, Outcome(Result.UNKNOWN) if lost else write, lock, lands=_lands(lock, mark))


def _answered(lock: SimulatedLock, call: Call) -> Outcome:
    recalled = isinstance(call.rest, Write) and truth.recall(lock, call.mark)
    truth.land(lock, now())
    answer = _answer(lock, call, landed=call.lands and not recalled)
    if lock.writer == call.mark:
        lock.writer = ""
    return answer


def _answer(lock: SimulatedLock, call: Call, *, landed: bool) -> Outcome:
    if not isinstance(call.rest, Write):
        return call.rest
    return truth.landed(lock, call.rest) if landed else truth.obey(lock, call.rest)


def _lands(lock: SimulatedLock, mark: str) -> bool:
    return any(late.get("call") == mark for late in lock.pending)


def _mark(lock: SimulatedLock, deadline: float) -> str:
    """Put this call's mark on the lock, and count it if another call's stands there."""
    _name, _at, until = lock.writer.partition(" until ")
    if until and now().timestamp() < float(until):
        lock.two_writers += 1
    lasts = min(deadline + MARK_GRACE, MARK_LASTS)
    lock.writer = f"{secrets.token_hex(6)} until {now().timestamp() + lasts:.3f}"
    return lock.writer
