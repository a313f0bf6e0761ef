"""Locks with PINs that are to be programmed, made in bulk: rows as services would have left them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from django.utils import timezone

from codes.models import AccessCode, CodePin
from devices.models import Device, Hub, Pin, SimulatedLock
from devices.providers.base import Capabilities
from portal.secret import Secret, digest
from tests import factories

A_HUB = 10  # locks behind each, fewer than are spoken to at once
ASKED_FOR_ONLY = replace(factories.MODERN, backup_pool=False)  # nobody puts spares on it beside what is measured


@dataclass(frozen=True, slots=True)
class Batch:
    """Locks that were made together, and each one's PINs. Nothing is due before `due()`."""

    devices: list[Device]

    @property
    def pins(self) -> "list[Pin]":
        return list(Pin.objects.filter(device__in=self.devices).order_by("device", "pk"))

    def due(self) -> None:
        """All at once, from now on."""
        Device.objects.filter(pk__in=[device.pk for device in self.devices]).update(next_sync_at=timezone.now())

    def left(self) -> int:
        """How many PINs are not on their locks yet."""
        return Pin.objects.filter(device__in=self.devices).exclude(status=Pin.Status.SET).count()

    def last_confirmed(self) -> float:
        """When the last PIN was read back, as a timestamp."""
        latest = Pin.objects.filter(device__in=self.devices).latest("confirmed_at").confirmed_at
        assert latest is not None
        return latest.timestamp()


def batch(
    locks: int, *, pins: int, latency: Callable[[int], int] = lambda number: 0, caps: Capabilities = ASKED_FOR_ONLY
) -> Batch:
    """So many locks, each with guests who arrive tomorrow and whose PINs are planned. `latency` in ms, by number."""
    place = factories.PropertyFactory()
    hubs = [
        Hub(workspace=place.workspace, provider=Hub.Provider.SIMULATOR, name="Bench", address=f"bench-{place.pk}-{n}")
        for n in range(-(-locks // A_HUB))
    ]
    Hub.objects.bulk_create(hubs)
    at = timezone.now()
    base = {"make": "Schlage", "model": "Encode", "capabilities": caps.to_json(), "battery": 80}
    names = [{"hub": hubs[n // A_HUB], "lock_ref": f"bench-{n}", "name": f"Door {n}"} for n in range(locks)]
    devices = [
        Device(
            property=place,
            online=Device.Online.YES,
            online_since=at,
            read_wanted=False,
            read_at=at,
            next_sync_at=at + timedelta(days=1),
            **base,
            **name,
        )
        for name in names
    ]
    Device.objects.bulk_create(devices)
    SimulatedLock.objects.bulk_create(
        SimulatedLock(latency_ms=latency(n), **base, **name) for n, name in enumerate(names)
    )
    _guests(devices, pins)
    return Batch(devices)


def _guests(devices: list[Device], each: int) -> None:
    at = timezone.now()
    starts, ends = at + timedelta(days=1), at + timedelta(days=3)
    codes = [
        AccessCode(device=device, name=f"Guest {n}", starts_at=starts, ends_at=ends, changed_at=at)
        for device in devices
        for n in range(each)
    ]
    pins = [_pin(code, n % each) for n, code in enumerate(codes)]
    AccessCode.objects.bulk_create(codes)
    Pin.objects.bulk_create(pins)
    CodePin.objects.bulk_create(
        CodePin(code=code, pin=pin, role=CodePin.Role.OWN, given_at=at) for code, pin in zip(codes, pins, strict=True)
    )


def _pin(code: AccessCode, number: int) -> Pin:
    digits = f"{4711 + 97 * number}"
    return Pin(
        device=code.device,
        secret=Secret(digits),
        digest=digest(str(code.device_id), digits),
        label=f"Guest {number}",
        wanted_from=code.starts_at,
        wanted_until=code.ends_at,
    )
