"""Pages that ask, about a hub or a lock: as few queries with many rows behind them as with few."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from devices.models import Device, Event, Hub, Pin, Property
from tests import factories, scene

MOST = 8


@pytest.fixture
def more(device: Device, hub: Hub, place: Property) -> Callable[[int], None]:
    """So many more of everything that such a page may name: properties, hubs, locks, codes, what happened."""

    def grow(count: int) -> None:
        for number in range(count):
            other = factories.PropertyFactory(workspace=place.workspace)
            factories.HubFactory(workspace=place.workspace, property=other)
            factories.DeviceFactory(property=place, hub=hub)
            scene.guest(device, f"Guest {number}", status=Pin.Status.SET)
            scene.event(device, Event.Type.DEVICE_REMOVED, left=["Ben Okafor"])

    return grow


def queries_of(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(url).status_code == 200
    return len(queries)


def held(client: Client, url: str, more: Callable[[int], None]) -> None:
    """The page's queries stay as they are when rows are added, and within the budget."""
    more(2)
    before = queries_of(client, url)
    more(10)
    assert queries_of(client, url) == before <= MOST


@pytest.mark.parametrize("name", ["hub_edit", "hub_remove"])
def test_of_a_hub(signed_in: Client, hub: Hub, more: Callable[[int], None], name: str) -> None:
    held(signed_in, reverse(name, args=[hub.pk]), more)


@pytest.mark.parametrize(
    ("name", "removal"),
    [("device_edit", "kept"), ("device_mark_removed", "removing"), ("device_removed", "removed")],
)
def test_of_a_lock(signed_in: Client, device: Device, more: Callable[[int], None], name: str, removal: str) -> None:
    at = timezone.now()
    Device.objects.filter(pk=device.pk).update(
        removal=removal,
        removing_since=at if removal == "removing" else None,
        removed_at=at if removal == "removed" else None,
    )
    held(signed_in, reverse(name, args=[device.pk]), more)


@pytest.mark.parametrize("name", ["hub_edit", "hub_remove", "device_edit"])
def test_of_a_form_that_comes_back_with_errors(
    signed_in: Client, device: Device, hub: Hub, more: Callable[[int], None], name: str
) -> None:
    """A page that answers what was typed wrongly costs no more with more rows, either."""
    url = reverse(name, args=[device.pk if name.startswith("device") else hub.pk])
    counts = []
    for count in (2, 10):
        more(count)
        with CaptureQueriesContext(connection) as queries:
            signed_in.post(url, {"name": ""})
        counts.append(len(queries))
    assert counts[0] == counts[1]
