"""The guest's promise as a property: whatever order bookings, faults, crashes and hours come in.

A state machine drives services, clock, engine and simulated lock together. After every step a PIN said to be set is
truly on the lock, one said to be removed is not, and no pool exceeds its size. And whenever the lock answers again,
a guest who is staying gets in with the PIN on their link, and after checkout and its late access with none.
"""

import os
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from backups.models import BackupCode
from codes.cover import door_pin
from codes.models import AccessCode
from codes.replan import replan_lock
from codes.seen import seen
from codes.services import cancel_code, change_code, pull_backup
from codes.tick import sweep, tick
from devices.lease import take
from devices.models import Device, Pin, SimulatedLock
from devices.programming import program
from devices.providers.simulator import opens
from devices.runner import perform
from devices.services import check_lock
from portal.models import Workspace
from tests import factories
from tests.engine import fault, fill_pool, guest, refills, settle, truth, wipe

START = datetime(2026, 3, 20, 12, tzinfo=UTC)
LOCKS = {
    "keeps schedules": factories.MODERN,
    "slots only": factories.PLAIN,
    "five slots": factories.TINY,
    "code ids": factories.CLOUD,
}
FAULTS = ["", "unreachable", "mute", "apply_then_silent", "late", "reject_set", "full", "ignore_set"]
STARTS = st.sampled_from([timedelta(minutes=n) for n in (-30, 10, 20, 45, 300, 3000)])
LATE = st.sampled_from([timedelta(0), timedelta(minutes=30), timedelta(hours=3)])
STAYS = st.sampled_from([timedelta(hours=2), timedelta(hours=20), timedelta(days=3)])
HEALS = [timedelta(seconds=25), *[timedelta(minutes=n) for n in (1, 2, 4, 8, 16, 32, 35)]]


class Promise(RuleBasedStateMachine):
    """One lock, its guests, and everything that can happen to them."""

    codes = Bundle("codes")
    first_fault = ""

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.at = START
        self.clock = time_machine.travel(START, tick=False)
        self.traveller = self.clock.start()
        self.working = True
        self.meddled = False  # somebody changed the lock behind our back, and we have not read it since

    def teardown(self) -> None:
        try:
            self.heals()  # whatever happened: in the end the promise holds
        finally:
            self.clock.stop()
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    @initialize(target=codes, kind=st.sampled_from(sorted(LOCKS)), starts=STARTS, lasts=STAYS, late=LATE)
    def a_guest_on_a_bad_day(self, kind: str, starts: timedelta, lasts: timedelta, late: timedelta) -> object:
        """The day begins with a lock, a fault and a guest, so that few examples see much."""
        self.device: Device = factories.DeviceFactory(caps=LOCKS[kind])
        Workspace.objects.update(late_access=late)
        fill_pool(self.device)
        fault(self.device, self.first_fault, late_ms=15_000)
        return self.book(starts, lasts)

    # what people do

    @rule(target=codes, starts=STARTS, lasts=STAYS)
    def another_books(self, starts: timedelta, lasts: timedelta) -> object:
        return self.book(starts, lasts)

    def book(self, starts: timedelta, lasts: timedelta) -> object:
        if starts + lasts <= timedelta(0):
            return multiple()
        code = guest(self.device, starts=starts, ends_at=self.at + starts + lasts)
        self.works()
        return code.pk

    @rule(code=codes, by=st.sampled_from([timedelta(hours=-1), timedelta(hours=6), timedelta(days=5)]))
    def move(self, code: object, by: timedelta) -> None:
        row = AccessCode.objects.get(pk=code)
        if row.ended_at is None and row.starts_at > self.at and row.ends_at + by > self.at:
            change_code(row, name=row.name, starts_at=row.starts_at + by, ends_at=row.ends_at + by)
            self.works()

    @rule(code=codes, by=st.sampled_from([timedelta(hours=3), timedelta(days=1)]))
    def extend(self, code: object, by: timedelta) -> None:
        row = AccessCode.objects.get(pk=code)
        if row.cancelled_at is None and row.ends_at + by > self.at:
            change_code(row, name=row.name, starts_at=row.starts_at, ends_at=row.ends_at + by)
            self.works()

    @rule(code=consumes(codes))
    def cancel(self, code: object) -> None:
        cancel_code(AccessCode.objects.get(pk=code))
        self.works()

    @rule(code=codes)
    def pull(self, code: object) -> None:
        row = AccessCode.objects.get(pk=code)
        if row.ended_at is None:
            pull_backup(row)
            self.works()

    @rule(code=codes)
    def guest_looks(self, code: object) -> None:
        pin = door_pin(AccessCode.objects.get(pk=code))
        if pin is not None:
            pin.code_pin.revealed_at = self.at
            pin.code_pin.save(update_fields=["revealed_at"])

    @rule(late=LATE)
    def late_access_is_set(self, late: timedelta) -> None:
        Workspace.objects.update(late_access=late)
        replan_lock(self.device)
        self.works()

    # what locks and workers do

    @rule(name=st.sampled_from(FAULTS))
    def breaks(self, name: str) -> None:
        fault(self.device, name, late_ms=15_000)
        self.works()

    @rule()
    def is_wiped_and_looked_at(self) -> None:
        wipe(self.device)
        self.meddled = True
        check_lock(self.device)
        self.works()

    @rule(calls=st.integers(1, 6))
    def a_worker_dies(self, calls: int) -> None:
        """Its turn ends between two steps; what its last call did, it did."""
        lease = take(self.device.pk)
        if lease is None:
            return
        steps = program(lease, seen)
        answer, error = None, None
        for _ in range(calls):
            try:
                call = steps.throw(error) if error else steps.send(answer)
            except StopIteration:
                return
            answer, error = made(call)
        Device.objects.filter(pk=self.device.pk).update(syncing_until=None)

    @rule(stop=st.booleans())
    def workers_stop_or_start(self, stop: bool) -> None:
        self.working = not stop

    def works(self) -> None:
        """What goes on all the time."""
        if self.working:
            settle(self.device, turns=4)

    @rule(by=st.sampled_from([timedelta(seconds=30), timedelta(minutes=5), timedelta(hours=1), timedelta(hours=13)]))
    def time_passes(self, by: timedelta) -> None:
        self.at += by
        self.traveller.move_to(self.at)
        tick()
        self.works()

    @rule()
    def is_swept(self) -> None:
        sweep()
        refills()

    # what must be true

    @rule()
    def heals(self) -> None:
        """The lock answers again and somebody looks: after the longest back-off all is as promised."""
        self.working = True
        fault(self.device)
        check_lock(self.device)
        for wait in HEALS:
            settle(self.device, turns=30)
            self.at += wait
            self.traveller.move_to(self.at)
        settle(self.device, turns=30)
        self.meddled = False
        for code in AccessCode.objects.live().filter(starts_at__lte=self.at):
            pin = door_pin(code)
            assert pin is not None, f"{code} stays and has no PIN"
            assert self.opens(pin), f"{code} stays and their {pin.status} PIN does not open"
        for code in AccessCode.objects.live():
            assert code.leaves_at is not None and code.leaves_at > self.at, f"{code} is over and not ended"
        for pin in Pin.objects.filter(code_pin__code__ended_at__isnull=False):
            assert pin.status in (Pin.Status.REMOVED, Pin.Status.WITHDRAWN, Pin.Status.REFUSED), pin.status
            assert not self.opens(pin) or self.is_anothers(pin), "a former guest gets in"

    @invariant()
    def set_is_set(self) -> None:
        if self.meddled:
            return
        for pin in Pin.objects.filter(device=self.device, status=Pin.Status.SET):
            assert self.holds(pin), f"{pin.label} is said to be set"

    @invariant()
    def pools_keep_their_size(self) -> None:
        assert BackupCode.objects.spare().filter(pool__device=self.device).count() <= 5

    def opens(self, pin: Pin) -> bool:
        lock = SimulatedLock.objects.get(hub=self.device.hub_id, lock_ref=self.device.lock_ref)
        return opens(lock, pin.secret.reveal(), self.at)

    def holds(self, pin: Pin) -> bool:
        return pin.secret.reveal() in truth(self.device).values()

    def is_anothers(self, pin: Pin) -> bool:
        others = Pin.objects.filter(device=self.device, digest=pin.digest).exclude(pk=pin.pk)
        return others.maybe_on_lock().exists()


def made(call: object) -> tuple[object, Exception | None]:
    try:
        return perform(call), None
    except Exception as error:
        return None, error


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("fault_at_first", FAULTS, ids=lambda name: name or "healthy")
def test_a_guest_never_stands_outside(fault_at_first: str) -> None:
    class OnThisLock(Promise):
        first_fault = fault_at_first

    examples = int(os.environ.get("PROMISE_EXAMPLES", "4"))
    run_state_machine_as_test(
        OnThisLock,
        settings=settings(
            max_examples=examples,
            stateful_step_count=14,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],  # shrinking takes minutes; the steps are printed as they are
            report_multiple_bugs=False,
        ),
    )
