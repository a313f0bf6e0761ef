"""A Z-Wave hub is added by its address: its locks are discovered, their pools fill, and a refused guest is covered."""

import pytest
from django.test import Client
from django.urls import reverse

from codes.cover import door_pin
from devices.models import Device, Hub, Pin, Property
from devices.tasks import discover_hub
from tests.engine import guest, ready, refills, settle
from tests.zwave.mocknet import Network


@pytest.fixture
def added(signed_in: Client, place: Property, network: Network) -> Hub:
    """The hub, as a manager adds it in the browser; the task it put on the queue has run."""
    fields = {"provider": "zwave", "name": "Cellar", "address": network.url, "property": str(place.pk)}
    response = signed_in.post(reverse("hub_add"), fields)
    assert response.status_code == 302, response.content.decode()
    hub = Hub.objects.get(provider=Hub.Provider.ZWAVE)
    discover_hub(str(hub.pk))
    return hub


def lock_of(hub: Hub, node: int) -> Device:
    return next(device for device in hub.devices.all() if device.lock_ref.endswith(f"-{node}"))


def test_its_locks_are_there_with_slots_lengths_and_battery(added: Hub) -> None:
    assert added.devices.count() == 4
    tiny = lock_of(added, 4)
    assert tiny.caps.slots == 5
    assert tiny.battery == 9
    assert tiny.caps.pins.lengths
    assert {lock_of(added, node).caps.slots for node in (2, 3)} == {30}


def test_adding_it_again_adds_no_lock_twice(added: Hub) -> None:
    discover_hub(str(added.pk))
    assert added.devices.count() == 4


def test_its_pool_fills_and_covers_a_guest_whom_the_lock_refuses(added: Hub, network: Network) -> None:
    device = lock_of(added, 2)
    refills()
    settle(device)
    assert len(ready(device)) == 5
    network.fault(2, "reject_set")
    code = guest(device)
    settle(device)
    pin = door_pin(code)
    assert pin is not None
    assert pin.priority == Pin.Priority.PERSON
    assert pin.secret.reveal() in network.codes(2).values()


@pytest.mark.usefixtures("db")
def test_a_wrong_address_is_refused_with_advice(signed_in: Client, place: Property) -> None:
    fields = {"provider": "zwave", "name": "Cellar", "address": "http://nowhere", "property": str(place.pk)}
    html = signed_in.post(reverse("hub_add"), fields).content.decode()
    assert "ws://" in html
    assert 'value="http://nowhere"' in html
    assert not Hub.objects.filter(provider=Hub.Provider.ZWAVE).exists()
