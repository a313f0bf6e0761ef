"""One lock's world for the state machine: its clock, its workers, and what is truly on it. Real services, real engine.

Time stands until it is moved. A simulated lock's latency moves it, so a slow call costs minutes of this world and none
of ours.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import time_machine
from django.db import transaction
from django.utils import timezone

from codes.seen import seen
from codes.tick import sweep, tick
from devices.lease import Lease, LeaseLost, take
from devices.models import MAYBE_ON_LOCK, Device, Pin, SimulatedLock
from devices.programming import Call, Steps, program
from devices.providers.base import PinRules, ReadBack
from devices.services import check_lock
from tests import factories, invariants
from tests.engine import answer_of, fault, lease_runs_out, refills, turn, wipe

START = datetime(2026, 3, 20, 12, tzinfo=UTC)
LONGEST_BACK_OFF = timedelta(minutes=40)  # 30 min and 20 %, and a little
EIGHT_DIGITS = PinRules(lengths=(8,))  # so that no id or date looks like a PIN
KINDS = {
    "keeps schedules": replace(factories.MODERN, pins=EIGHT_DIGITS),
    "slots only": replace(factories.PLAIN, pins=EIGHT_DIGITS),
    "five slots": replace(factories.TINY, pins=EIGHT_DIGITS),
    "code ids": replace(factories.CLOUD, pins=EIGHT_DIGITS),
    "shows no digits": replace(factories.MODERN, pins=EIGHT_DIGITS, read_back=ReadBack.MASKED),
}
WEATHER: dict[str, dict[str, object]] = {
    "healthy": {},
    "unreachable": {"name": "unreachable"},
    "mute": {"name": "mute"},
    "applies and is silent": {"name": "apply_then_silent"},
    "late": {"name": "late", "late_ms": 15_000},
    "refuses": {"name": "reject_set"},
    "refuses what it has": {"name": "reject_duplicate"},
    "full": {"name": "full"},
    "says yes and does nothing": {"name": "ignore_set"},
    "masks": {"name": "mask_codes"},
    "slow": {"latency_ms": 4_000},
    "slower than we wait": {"latency_ms": 25_000},
}


class World:
    """A lock with five spares on it. `close()` undoes everything."""

    def __init__(self) -> None:
        self.working = True
        self.weather = "healthy"
        self.meddled_at: datetime | None = None
        self.stalled: tuple[Steps[None], Call, Lease] | None = None
        self._atomic = transaction.atomic()
        self._atomic.__enter__()
        self._travel = time_machine.travel(START + timedelta(minutes=1), tick=False)
        self.clock = self._travel.start()
        self._sleep = patch("devices.providers.simulator.sleep", self.clock.shift)
        self._sleep.start()

    def close(self) -> None:
        self._sleep.stop()
        self._travel.stop()
        transaction.set_rollback(True)
        self._atomic.__exit__(None, None, None)

    @property
    def at(self) -> datetime:
        return timezone.now()

    # what goes on

    def goes_on(self, turns: int = 4) -> None:
        """The tick always, the workers if they run: until nothing is due, or for so many turns."""
        for _ in range(turns if self.working else 0):
            tick()
            refills()
            self.device.refresh_from_db()
            if self.device.next_sync_at is None or self.device.next_sync_at > self.at:
                return
            turn(self.device)
        tick()
        self.device.refresh_from_db()

    def breaks(self, weather: str) -> None:
        self.weather = weather
        fault(self.device, **{"name": "", "late_ms": 0, "latency_ms": 0, **WEATHER[weather]})

    def is_wiped(self) -> None:
        wipe(self.device)
        self.meddled_at = self.at
        self.clock.shift(1)

    def heals(self) -> None:
        """The lock answers again and somebody looks; then time goes on, from one due moment to the next."""
        self.working = True
        self.wakes()
        lease_runs_out(self.device)
        self.breaks("healthy")
        check_lock(self.device)
        ends = self.at + LONGEST_BACK_OFF
        for _ in range(60):
            self.goes_on(turns=30)
            due = self.device.next_sync_at
            if due is None or due > ends:
                break
            self.clock.move_to(max(due, self.at))
        self.clock.move_to(max(ends, self.at))
        sweep()
        self.goes_on(turns=30)

    # workers that do not finish

    def dies(self, calls: int, *, last_is_made: bool) -> None:
        """A worker's turn ends between two steps; its lease runs out. The tick goes on meanwhile."""
        begun = self._begin(calls)
        if begun and last_is_made:
            answer_of(begun[1])
        lease_runs_out(self.device)
        tick()  # its calls took time

    def stalls(self, calls: int) -> None:
        """A worker stands still before one of its calls, for longer than its lease."""
        if self.stalled is None and (begun := self._begin(calls)):
            self.stalled = begun
            lease_runs_out(self.device)

    def wakes(self) -> None:
        """It is too late for its call, which the runner does not make; and for its lease, if that is another's now."""
        if self.stalled is None:
            return
        steps, _call, lease = self.stalled
        self.stalled = None
        lost = not Device.objects.filter(pk=self.device.pk, lease_token=lease.token).exists()
        before = self._rows()
        try:
            steps.throw(TimeoutError())
        except (LeaseLost, StopIteration):
            pass
        else:
            steps.close()
        assert not lost or self._rows() == before, "a worker without the lease wrote what it saw"

    def _begin(self, calls: int) -> tuple[Steps[None], Call, Lease] | None:
        """A turn that stands before its call of that number; None when it has fewer, or the lease is not to be had."""
        lease = take(self.device.pk)
        if lease is None:
            return None
        steps = program(lease, seen)
        try:
            call = next(steps)
            for _ in range(calls - 1):
                answer, error = answer_of(call)
                call = steps.throw(error) if error else steps.send(answer)
        except StopIteration:
            return None
        return steps, call, lease

    def _rows(self) -> list[dict[str, object]]:
        return list(Pin.objects.filter(device=self.device).order_by("pk").values())

    # what is so

    @property
    def unread(self) -> bool:
        """Somebody meddled with the lock, and it was not read since."""
        return self.meddled_at is not None and (self.device.read_at or START) <= self.meddled_at

    def look(self) -> invariants.Look:
        self.device.refresh_from_db()
        return invariants.look(self.device, unread=[self.device] if self.unread else [])

    @property
    def at_rest(self) -> bool:
        """The lock answers, the workers run, and there is nothing they wait for."""
        waiting = Pin.objects.filter(device=self.device, status__in=MAYBE_ON_LOCK, next_attempt_at__isnull=False)
        due = self.device.next_sync_at
        quiet = self.weather == "healthy" and self.working and self.device.failures == 0 and not self.unread
        return quiet and due is not None and due > self.at and not waiting.exists()

    @property
    def has_room(self) -> bool:
        slots = self.device.caps.slots if self.device.caps else None
        lock = SimulatedLock.objects.get(hub=self.device.hub_id, lock_ref=self.device.lock_ref)
        return slots is None or len(lock.codes) < slots
