"""How a lock stands after somebody asked for it: through with everything, silent, or not yet. Reads only."""

import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from django.db.models import Q

from devices import listing
from devices.lookup import full_name
from devices.models import Device, Pin
from devices.programming.plan import must_leave, needs_reading, needs_write
from devices.services import wake_due
from portal.clock import now
from portal.console import plain

LOOK_EVERY = 0.3  # seconds


class Standing(StrEnum):
    DONE = "up to date"
    LEFT = "not all done"  # it answered, and refused or postponed something
    SILENT = "no answer"
    WAITING = "not yet"  # no turn has ended since it was asked for
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Settled:
    """One lock and how it stands. `open`: PINs still to be set or taken off."""

    device: Device
    standing: Standing
    open: int
    why: str

    @property
    def fine(self) -> bool:
        return self.standing in (Standing.DONE, Standing.REMOVED)

    def to_json(self) -> dict[str, object]:
        return {
            "id": self.device.pk,
            "lock": full_name(self.device),
            "workspace": self.device.property.workspace.name,
            "standing": self.standing.name.lower(),
            "open": self.open,
            "why": self.why,
            "next_sync_at": self.device.next_sync_at,
        }


def how_it_stands(device_id: UUID) -> Settled:
    """Read afresh how the lock stands."""
    device = Device.objects.select_related("property__workspace", "hub").get(pk=device_id)
    at = now()
    pins = Pin.objects.filter(device=device).alive()
    left = [pin for pin in pins if must_leave(pin, at) or needs_write(pin, at) or needs_reading(pin, at)]
    standing = _standing(device, len(left))
    return Settled(device, standing, len(left), _why(device, standing, left))


def wait_until_settled(
    device_ids: Collection[UUID], *, seconds: float, settled: Callable[[int], None]
) -> list[Settled]:
    """Wait until each of these locks has had its turn, `seconds` at most; how they stand then.

    Wakes the workers itself now and then, as the tick does, should that stand still. `settled(n)`: n more are through.
    """
    through: dict[UUID, Settled] = {}  # as they stood then: a lock that rests may be at its next try by the end
    ends = time.monotonic() + seconds
    while len(through) < len(device_ids) and time.monotonic() < ends:
        wake_due()
        done = [how_it_stands(pk) for pk in _likely_through(pk for pk in device_ids if pk not in through)]
        before = len(through)
        through |= {one.device.pk: one for one in done if one.standing != Standing.WAITING}
        settled(len(through) - before)
        if len(through) < len(device_ids):
            time.sleep(LOOK_EVERY)
    return [through.get(pk) or how_it_stands(pk) for pk in device_ids]


def _likely_through(device_ids: Iterable[UUID]) -> list[UUID]:
    """Those that are worth a closer look: in one query, however many locks are waited for."""
    rests = Q(next_sync_at__gt=now()) | Q(hub__probe_at__gt=now()) | Q(removal=Device.Removal.REMOVED)
    return list(Device.objects.filter(rests, pk__in=list(device_ids)).values_list("pk", flat=True))


def _standing(device: Device, left: int) -> Standing:
    if device.removal == Device.Removal.REMOVED:
        return Standing.REMOVED
    at = now()
    rests = device.hub.probe_at is not None and device.hub.probe_at > at  # its hub was asked, and is down
    due = device.next_sync_at is None or device.next_sync_at <= at
    if device.lease_token is not None or (due and not rests):
        return Standing.WAITING
    if rests or device.failures or listing.unreachable(device):
        return Standing.SILENT
    return Standing.LEFT if left else Standing.DONE


def _why(device: Device, standing: Standing, left: list[Pin]) -> str:
    if standing == Standing.DONE or standing == Standing.REMOVED:
        return ""
    if standing == Standing.WAITING and device.lease_token is not None:
        return "a worker is at it"
    if standing == Standing.WAITING and device.hub.down_since is None:
        return "no worker has taken it: see that `manage.py work` runs, or give the turn here with --here"
    troubles = sorted({str(Pin.Trouble(pin.trouble).label) for pin in left if pin.trouble})
    return plain(listing.likely_cause(device, 0)) or ", ".join(troubles) or "a retry is due later"
