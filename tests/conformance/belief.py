"""What the portal believes, held against what is truly on the lock."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import time_machine
from django.utils import timezone

from devices.models import Device, Pin
from tests.conformance.doors import Door
from tests.engine import settle

SAID_THERE = {Pin.Status.SET}
SAID_GONE = {Pin.Status.PLANNED, Pin.Status.REFUSED, Pin.Status.GONE, Pin.Status.REMOVED, Pin.Status.WITHDRAWN}
NOT_SURE = {Pin.Status.WRITING, Pin.Status.UNKNOWN, Pin.Status.REMOVING}


@contextmanager
def passing(**by: float) -> Iterator[None]:
    """So much later, the clock going on: a real driver's timeouts run by it."""
    with time_machine.travel(timezone.now() + timedelta(**by), tick=True):
        yield


def lies(door: Door, *, gone: bool = True, there: bool = True) -> list[str]:
    """What the portal says of its PINs that is not so."""
    truly = door.digits()
    found = []
    for pin in Pin.objects.filter(device=door.device):
        digits = pin.secret.reveal()
        if there and pin.status in SAID_THERE and digits not in truly:
            found.append(f"{pin.label} is said to be {pin.status}, and is not there")
        if gone and pin.status in SAID_GONE and digits in truly:
            found.append(f"{pin.label} is said to be {pin.status}, and is there")
    return found


def unsettled(door: Door) -> list[str]:
    """What the portal is still not sure of."""
    return [f"{pin.label}: {pin.status}" for pin in Pin.objects.filter(device=door.device, status__in=NOT_SURE)]


def come_to_rest(door: Door) -> None:
    """Heal the lock, and let all that can land, be retried or be read again happen."""
    door.heal()
    Device.objects.filter(pk=door.device.pk).update(read_wanted=True, next_sync_at=timezone.now())
    for minutes in (3, 45, 90):
        with passing(minutes=minutes):
            settle(door.device, turns=20)
