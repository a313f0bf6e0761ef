"""Whether the locks are as wanted: for the guests who wait, and altogether."""

from collections.abc import Sequence

from django.db.models import Q
from django.utils import timezone

from codes.cover import current, door_pin
from codes.models import AccessCode, CodePin
from devices.models import MAYBE_ON_LOCK, Device, Pin, SimulatedLock
from devices.programming.plan import needs_write, over
from devices.providers.simulator import opens
from tests import invariants

LOOKS = 4  # what is broken in each of so many looks is broken


def guests_outside(devices: Sequence[Device]) -> list[str]:
    """Guests who are staying, on a lock that has room for them, and do not get in with the PIN on their link."""
    at = timezone.now()
    stays = AccessCode.objects.live().filter(device__in=devices, starts_at__lte=at, ends_at__gt=at)
    return [f"{code} {code.pk} on {code.device}" for code in stays.select_related("device") if not _gets_in(code)]


def not_as_wanted(devices: Sequence[Device]) -> list[str]:
    """PINs that should be on their lock by now and are not known to be, or that should have left."""
    at = timezone.now()
    rows = Pin.objects.filter(device__in=devices).filter(Q(status__in=MAYBE_ON_LOCK) | ~Q(wanted=Pin.Wanted.ABSENT))
    unsure = {Pin.Status.WRITING, Pin.Status.UNKNOWN, Pin.Status.REMOVING}
    return [
        f"{pin} {pin.status}, wanted {pin.wanted}, {pin.trouble or 'no trouble'}"
        for pin in rows
        if needs_write(pin, at) or pin.status in unsure or (pin.maybe_on_lock and _unwanted(pin, at))
    ]


def broken_for_good(devices: Sequence[Device]) -> list[str]:
    """Invariants that do not hold in several looks in a row: rows move while they are read."""
    found = set(invariants.broken(invariants.look(*devices)))
    for _ in range(LOOKS - 1):
        if not found:
            break
        found &= set(invariants.broken(invariants.look(*devices)))
    return sorted(found)


def _gets_in(code: AccessCode) -> bool:
    pin = door_pin(code)
    lock = SimulatedLock.objects.get(hub=code.device.hub_id, lock_ref=code.device.lock_ref)
    return pin is not None and opens(lock, pin.secret.reveal(), timezone.now())


def _unwanted(pin: Pin, at: object) -> bool:
    return pin.wanted == Pin.Wanted.ABSENT or over(pin, at)


def why(code: AccessCode) -> str:
    """What the portal knows of a guest who stands outside."""
    own, backup = (current(code, role) for role in (CodePin.Role.OWN, CodePin.Role.BACKUP))
    states = [f"{given.role} {given.pin.status} {given.pin.trouble}" for given in (own, backup) if given]
    return f"{'; '.join(states)}; uncovered since {code.uncovered_since}"
