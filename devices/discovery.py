"""Finding the locks behind a hub."""

from django.db import transaction

from devices.hubs import search_ended
from devices.models import Device, Hub
from devices.programming import ProviderFailed
from devices.providers.base import LockInfo, NoAnswer, Unreachable
from devices.providers.registry import provider_for
from devices.runner import ask
from devices.services import add_lock

DEADLINE = 30.0  # seconds


def look_for_locks(hub: Hub, *, revive: bool = False) -> None:
    """Ask the hub for its locks, add those that are new, and write down how it went. Never raises for a silent hub.

    Locks that were removed stay so, unless `revive`.
    """
    try:
        found: list[LockInfo] = list(ask(hub, "discover", deadline=DEADLINE))
    except Unreachable:
        search_ended(hub, silence=Hub.Silence.UNREACHABLE)
    except (NoAnswer, TimeoutError):
        search_ended(hub, silence=Hub.Silence.NO_ANSWER)
    except ProviderFailed:
        search_ended(hub, silence=Hub.Silence.FAILED)
    else:
        _add(hub, found, revive=revive)


def reach(hub: Hub, *, deadline: float) -> int:
    """How many locks the hub knows now, without adding any. Raises Unreachable or NoAnswer."""
    return len(provider_for(hub).discover(deadline=deadline))


def _add(hub: Hub, found: list[LockInfo], *, revive: bool) -> None:
    place = hub.property
    if place is None:
        return
    with transaction.atomic():
        known = dict(Device.objects.filter(hub=hub).values_list("lock_ref", "removal"))
        missing = [info for info in found if known.get(info.lock_ref) != Device.Removal.KEPT]
        new = [info for info in missing if revive or info.lock_ref not in known]
        for info in new:
            add_lock(hub=hub, property=place, info=info)
        Hub.objects.filter(pk=hub.pk).update(probe_at=None)  # it speaks: its locks need not rest
        search_ended(hub, found=len(found), added=len(new))


__all__ = ["NoAnswer", "Unreachable", "look_for_locks", "reach"]
