"""Locks that need somebody: out of reach, or with an empty battery. For home. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from devices import listing
from devices.models import Device, Hub
from portal.models import Workspace


@dataclass(frozen=True, slots=True)
class Outage:
    """One cause: a lock that is offline, or a hub that is down with all the locks behind it."""

    hub: Hub | None
    devices: Sequence[Device]


@dataclass(frozen=True, slots=True)
class TroubledLocks:
    outages: Sequence[Outage]
    low: Sequence[Device]  # batteries, the emptiest first

    @property
    def offline(self) -> int:
        return sum(len(outage.devices) for outage in self.outages)


def troubled_locks(workspace: Workspace) -> TroubledLocks:
    """The workspace's locks that cannot be reached, one cause an outage, and those with a low battery. One query."""
    ill = Q(online=Device.Online.NO) | Q(hub__down_since__isnull=False) | Q(battery__lte=listing.LOW_BATTERY)
    found = list(
        Device.objects.of(workspace)
        .filter(ill)
        .select_related("property", "hub")
        .order_by("online_since", "property__name", "name")
    )
    outages: dict[UUID, list[Device]] = {}
    for device in found:
        if listing.unreachable(device):
            outages.setdefault(device.hub_id if device.hub.down_since else device.pk, []).append(device)
    return TroubledLocks(
        outages=[Outage(locks[0].hub if locks[0].hub.down_since else None, locks) for locks in outages.values()],
        low=sorted(
            (device for device in found if listing.battery(device).tone == "warn"), key=lambda d: d.battery or 0
        ),
    )
