"""Which provider speaks to a hub's locks."""

import os
from collections.abc import Callable
from uuid import UUID

from devices.models import Hub
from devices.providers.base import LockProvider
from devices.providers.simulator import SimulatorProvider
from devices.providers.zwave import ZwaveProvider

_makers: dict[str, Callable[[Hub], LockProvider]] = {
    Hub.Provider.SIMULATOR: SimulatorProvider,
    Hub.Provider.ZWAVE: lambda hub: ZwaveProvider(hub.address),
}
_open: dict[tuple[int, UUID, str], LockProvider] = {}


def provider_for(hub: Hub) -> LockProvider:
    """The hub's provider: one per process, kept open; another once the hub's address has changed."""
    key = (os.getpid(), hub.pk, hub.address)
    if key not in _open:
        _open.setdefault(key, _makers[hub.provider](hub))
    return _open[key]
