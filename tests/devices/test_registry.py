"""Each hub is spoken to by its own provider, one per process."""

import os

import pytest

from devices.models import Hub
from devices.providers.registry import provider_for
from devices.providers.simulator import SimulatorProvider
from devices.providers.zwave import ZwaveProvider
from tests import factories


@pytest.mark.parametrize(
    ("kind", "provider"), [(Hub.Provider.SIMULATOR, SimulatorProvider), (Hub.Provider.ZWAVE, ZwaveProvider)]
)
def test_every_kind_of_hub_has_its_provider(db: None, kind: str, provider: type) -> None:
    assert isinstance(provider_for(factories.HubFactory(provider=kind, address="ws://127.0.0.1:3999")), provider)


@pytest.mark.parametrize("kind", Hub.Provider)
def test_no_kind_is_forgotten(db: None, kind: str) -> None:
    provider_for(factories.HubFactory(provider=kind, address="ws://127.0.0.1:3999"))


def test_a_hub_keeps_its_provider_until_its_address_changes(hub: Hub) -> None:
    first = provider_for(hub)
    assert provider_for(Hub.objects.get(pk=hub.pk)) is first
    hub.address = "elsewhere"
    assert provider_for(hub) is not first


def test_a_forked_process_opens_its_own(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    first = provider_for(hub)
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert provider_for(hub) is not first
