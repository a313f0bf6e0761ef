"""Finding the locks behind a hub."""

from devices.models import Device, Hub, Property
from devices.providers.base import NoAnswer, Unreachable
from devices.providers.registry import provider_for
from devices.services import add_lock

DEADLINE = 30.0  # seconds


def discover(hub: Hub, property: Property) -> list[Device]:
    """Ask the hub for its locks and add those that are new. Raises Unreachable or NoAnswer."""
    found = provider_for(hub).discover(deadline=DEADLINE)
    return [add_lock(hub=hub, property=property, info=info) for info in found]


def reach(hub: Hub, *, deadline: float) -> int:
    """How many locks the hub knows now, without adding any. Raises Unreachable or NoAnswer."""
    return len(provider_for(hub).discover(deadline=deadline))


__all__ = ["NoAnswer", "Unreachable", "discover", "reach"]
