"""Properties, hubs, locks, the PINs on them, and what happened there."""

from devices.models.device import Device, DeviceQuerySet
from devices.models.event import Event
from devices.models.hub import Hub
from devices.models.pin import MAYBE_ON_LOCK, Pin, PinQuerySet
from devices.models.property import Property
from devices.models.simulated import SimulatedLock

__all__ = [
    "MAYBE_ON_LOCK",
    "Device",
    "DeviceQuerySet",
    "Event",
    "Hub",
    "Pin",
    "PinQuerySet",
    "Property",
    "SimulatedLock",
]
