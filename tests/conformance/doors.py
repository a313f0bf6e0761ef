"""The same lock in two worlds: the simulator, and real Z-Wave JS. Each knows what is truly on it, and goes wrong."""

from dataclasses import dataclass, replace
from typing import Protocol

from devices.hubs import add_hub
from devices.models import Device, Property, SimulatedLock
from devices.tasks import discover_hub
from tests import engine, factories
from tests.zwave.mocknet import HOME, Network

FAULTS = (
    "unreachable",
    "mute",
    "apply_then_silent",
    "reject_set",
    "reject_duplicate",
    "full",
    "ignore_set",
    "mask_codes",
    "late",
    "slow",
    "wiped",
)
KINDS = {
    "slots": replace(factories.PLAIN, slots=8),
    "slots and schedules": replace(factories.MODERN, slots=8),
    "five slots": factories.TINY,
    "code ids": factories.CLOUD,
}
ON_AIR: dict[str, tuple[str | None, dict[str, int]]] = {  # what the network calls other names
    "late": ("apply_then_silent", {"delayMs": 1_500}),  # acknowledged by radio, done later, and never confirmed
    "slow": (None, {"delayMs": 60}),
}
NODES = {"z-wave, user code": 2, "z-wave, never confirms": 3, "z-wave, user credential": 5}


class Door(Protocol):
    """A lock under test: the portal's row, what is truly on it, and what is wrong with it."""

    device: Device

    def fault(self, name: str) -> None: ...

    def heal(self) -> None: ...

    def digits(self) -> set[str]:
        """What is truly on the lock now."""
        ...


@dataclass
class SimulatedDoor:
    device: Device

    def fault(self, name: str) -> None:
        if name == "wiped":
            engine.wipe(self.device)
        elif name == "slow":
            engine.fault(self.device, latency_ms=100)
        else:
            engine.fault(self.device, name, late_ms=15_000, latency_ms=0)

    def heal(self) -> None:
        engine.fault(self.device, latency_ms=0)

    def digits(self) -> set[str]:
        return set(engine.truth(self.device).values())


@dataclass
class ZwaveDoor:
    device: Device
    network: Network
    node: int

    def fault(self, name: str) -> None:
        real, settings = ON_AIR.get(name, (name, {}))
        self.network.fault(self.node, real, **settings)

    def heal(self) -> None:
        self.network.fault(self.node, delayMs=0)

    def digits(self) -> set[str]:
        return set(self.network.codes(self.node).values())


def simulated(place: Property, kind: str) -> SimulatedDoor:
    hub = factories.HubFactory(workspace=place.workspace)
    device = factories.DeviceFactory(property=place, hub=hub, caps=KINDS[kind])
    assert SimulatedLock.objects.filter(hub=hub).exists()
    return SimulatedDoor(device)


def on_the_air(place: Property, network: Network, kind: str) -> ZwaveDoor:
    """A lock of the Z-Wave network, discovered as a manager's click does it."""
    hub = add_hub(workspace=place.workspace, provider="zwave", name="Cellar", address=network.url, property=place)
    discover_hub(str(hub.pk))
    node = NODES[kind]
    return ZwaveDoor(hub.devices.get(lock_ref=f"{HOME}-{node}"), network, node)
