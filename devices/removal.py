"""What a page says of a lock that leaves the portal, or has left it. Reads only."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from devices.models import MAYBE_ON_LOCK, Device, DeviceQuerySet, Event, Pin
from devices.services import left_on
from portal.models import User, Workspace


@dataclass(frozen=True, slots=True)
class Departure:
    """A lock that was removed: when, by whom if somebody forced it, and our PINs that may still be on it."""

    device: Device
    at: datetime | None
    forced_by: User | None
    left: list[Pin]


def departure_of(device: Device) -> Departure:
    last = Event.objects.filter(device=device, type=Event.Type.DEVICE_REMOVED).select_related("actor")
    event = last.order_by("-at", "-pk").first()
    return Departure(device, device.removed_at, event.actor if event else None, left_on(device))


def haunted(workspace: Workspace) -> DeviceQuerySet:
    """Removed locks that codes of ours may still open; each with `left`, how many."""
    mine = Device.objects.filter(property__workspace=workspace, removal=Device.Removal.REMOVED)
    left = Count("pins", filter=Q(pins__status__in=MAYBE_ON_LOCK))
    return mine.annotate(left=left).filter(left__gt=0).select_related("property").order_by("name", "pk")
