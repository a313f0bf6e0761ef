"""A simulated lock with everything a test wants to do to it."""

from collections.abc import Sequence
from datetime import UTC, datetime

from devices.models import Device, SimulatedLock
from devices.providers.base import (
    ALWAYS,
    Capabilities,
    Handle,
    Observation,
    Outcome,
    Window,
)
from devices.providers.simulator import SimulatorProvider, contents
from portal.secret import Secret
from tests import factories
from tests.factories import MODERN

Fault = SimulatedLock.Fault
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HELD = {"3": "7391"}  # what the fixture `rig` holds to begin with
WITH_NEW = {"3": "7391", "4": "4207"}


class Rig:
    """A provider, one lock of its hub, and the truth about that lock."""

    def __init__(self, caps: Capabilities = MODERN) -> None:
        self.device: Device = factories.DeviceFactory(caps=caps)
        self.provider = SimulatorProvider(self.device.hub)
        self.ref = self.device.lock_ref
        self.caps = caps

    @property
    def row(self) -> SimulatedLock:
        return SimulatedLock.objects.get(lock_ref=self.ref)

    def set(self, **fields: object) -> None:
        SimulatedLock.objects.filter(lock_ref=self.ref).update(**fields)

    @property
    def truth(self) -> dict[str, str]:
        return {true.place: true.pin.reveal() for true in contents(self.row)}

    def put(self, handle: Handle, digits: str, window: Window = ALWAYS, *, deadline: float = 5) -> Outcome:
        return self.provider.put(self.ref, handle, Secret(digits), "Guest 7F3A", window, deadline=deadline)

    def remove(self, handle: Handle) -> Outcome:
        return self.provider.remove(self.ref, handle, deadline=5)

    def read(self, handle: Handle, *, deadline: float = 5) -> Observation:
        return self.provider.read(self.ref, handle, deadline=deadline)

    def read_all(self) -> Sequence[Observation]:
        return self.provider.read_all(self.ref, deadline=5)
