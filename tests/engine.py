"""Driving the real engine in a test: turns on this thread, the truth read from the simulated lock itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import time_machine
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from django_q.models import OrmQ

from backups.models import BackupCode
from backups.services import draw_for, refill
from backups.tasks import refill_pool
from codes.cover import current, door_pin
from codes.models import AccessCode, CodePin
from codes.seen import seen
from codes.services import add_code
from codes.tick import tick
from devices.lease import take
from devices.models import Device, Pin, SimulatedLock
from devices.programming import Call, Steps, program
from devices.providers.simulator import touched
from devices.runner import perform, run
from portal.secret import Secret


def turn(device: Device) -> bool:
    """One turn of this lock. False when its lease was not to be had."""
    lease = take(device.pk)
    if lease is None:
        return False
    run(program(lease, seen))
    device.refresh_from_db()
    return True


@dataclass
class Held:
    """A turn that stands still before one of its calls."""

    steps: Steps[None]
    call: Call

    def finish(
        self, answer: Any = None, error: Exception | None = None, *, always: dict[str, Any] | None = None
    ) -> None:
        """Make the call (or pretend this answer or error) and go on to the end. Raises LeaseLost.

        `always`: what every call of a name is answered.
        """
        try:
            while True:
                if answer is None and error is None:
                    answer, error = (always or {}).get(self.call.operation), None
                if answer is None and error is None:
                    answer, error = answer_of(self.call)
                self.call = self.steps.throw(error) if error else self.steps.send(answer)
                answer = error = None
        except StopIteration:
            return


def held_before(device: Device, operation: str) -> Held:
    """A turn of this lock, stopped just before its first call of that name. All calls before it are made."""
    lease = take(device.pk)
    assert lease is not None
    steps = program(lease, seen)
    call = next(steps)
    while call.operation != operation:
        call = steps.send(perform(call))
    return Held(steps, call)


def answer_of(call: Call) -> tuple[Any, Exception | None]:
    """Make the call: what came of it, or the error."""
    try:
        return perform(call), None
    except Exception as error:
        return None, error


def lease_runs_out(device: Device) -> None:
    """The holder of the lock's lease has not been heard of for too long, by the database's clock."""
    Device.objects.filter(pk=device.pk).update(syncing_until=Now() - timedelta(seconds=1))


def look_at_everything(device: Device) -> None:
    """A full read, now."""
    Device.objects.filter(pk=device.pk).update(read_wanted=True)
    turn(device)


def refills() -> None:
    """Run the pool refills that wait in the queue; the turns there are this module's own business."""
    for waiting in OrmQ.objects.order_by("pk"):
        task = waiting.task
        waiting.delete()
        if task["func"] == "backups.tasks.refill_pool":
            refill_pool(*task["args"])


def settle(device: Device, turns: int = 12) -> None:
    """Tick, refill and turn until nothing is due now."""
    for _ in range(turns):
        tick()
        refills()
        device.refresh_from_db()
        if device.next_sync_at is None or device.next_sync_at > timezone.now():
            return
        turn(device)


def truth(device: Device) -> dict[str, str]:
    """What is truly on the lock, with all that has landed by now: place to digits."""
    lock = touched(SimulatedLock.objects.get(hub=device.hub_id, lock_ref=device.lock_ref))
    return {place: Secret.sealed(code["pin"]).reveal() for place, code in lock.codes.items()}


def fault(device: Device, name: str = "", **values: Any) -> None:
    """Give the lock a fault, or none."""
    SimulatedLock.objects.filter(hub=device.hub_id, lock_ref=device.lock_ref).update(fault=name, **values)


def wipe(device: Device) -> None:
    """Somebody resets the lock: all its codes are gone."""
    SimulatedLock.objects.filter(hub=device.hub_id, lock_ref=device.lock_ref).update(codes={}, pending=[])


@contextmanager
def later(**by: float) -> Iterator[None]:
    """Move the clock on, and let it stand."""
    with time_machine.travel(timezone.now() + timedelta(**by), tick=False):
        yield


def fill_pool(device: Device) -> list[BackupCode]:
    """The lock's spares, put there by the real engine."""
    refill(device)
    settle(device)
    return list(ready(device))


def ready(device: Device) -> list[BackupCode]:
    return list(BackupCode.objects.ready().filter(pool__device=device).order_by("position"))


def guest(device: Device, name: str = "Ben Okafor", *, starts: timedelta | None = None, **fields: Any) -> AccessCode:
    """A guest's code that begins in 20 minutes and lasts two days, unless told otherwise."""
    start: datetime = timezone.now() + (timedelta(minutes=20) if starts is None else starts)
    fields.setdefault("ends_at", start + timedelta(days=2))
    return add_code(device=device, name=name, kind=AccessCode.Kind.TIME_BOUND, starts_at=start, **fields)


def take_off_behind_our_back(device: Device, pin: Pin) -> None:
    """Somebody deletes one code on the lock itself."""
    lock = SimulatedLock.objects.get(hub=device.hub_id, lock_ref=device.lock_ref)
    lock.codes.pop(str(pin.slot) if pin.slot is not None else pin.code_id)
    lock.save(update_fields=["codes"])


def own(code: AccessCode) -> Pin:
    """The code's own PIN, the latest it was given."""
    return CodePin.objects.filter(code=code, role=CodePin.Role.OWN).latest("pk").pin


def backup(code: AccessCode) -> Pin | None:
    """The backup's PIN that covers the code now."""
    given = current(AccessCode.objects.get(pk=code.pk), CodePin.Role.BACKUP)
    return given.pin if given else None


def shown(code: AccessCode) -> Pin | None:
    """The PIN that the guest is told."""
    return door_pin(AccessCode.objects.get(pk=code.pk))


def opens(device: Device, code: AccessCode) -> bool:
    """The PIN that the guest is told is truly on the lock."""
    pin = shown(code)
    return pin is not None and pin.secret.reveal() in truth(device).values()


def opens_with(code: AccessCode) -> str:
    """The digits that the guest is told, empty if none."""
    pin = shown(code)
    return pin.secret.reveal() if pin else ""


def put_behind_our_back(device: Device, place: str, digits: str, label: str = "") -> None:
    """Somebody adds a code on the lock itself."""
    lock = SimulatedLock.objects.get(hub=device.hub_id, lock_ref=device.lock_ref)
    lock.codes[place] = {"pin": Secret(digits).seal(), "label": label, "from": None, "until": None}
    lock.save(update_fields=["codes"])


def draw(device: Device) -> BackupCode | None:
    """As those who cover a guest do, under the lock's row."""
    with transaction.atomic():
        held = Device.objects.select_for_update().get(pk=device.pk)
        return draw_for([held]).get(device.pk)
