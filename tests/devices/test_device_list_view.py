"""The list of locks: who sees which, search, pages, and what it says of each."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from devices.models import Device, Hub, Pin, Property
from portal.models import User
from tests import factories, scene

URL = "/devices/"


def text(client: Client, **query: Any) -> str:
    return client.get(URL, query).content.decode()


def test_it_lists_the_workspaces_locks_only(signed_in: Client, device: Device) -> None:
    factories.DeviceFactory(name="Their door")
    page = text(signed_in)
    assert "Front door" in page
    assert "Their door" not in page


@pytest.mark.parametrize("words", ["front", "lakeview", "schlage", "encode cottage"])
def test_search_finds_by_lock_property_and_make(signed_in: Client, device: Device, words: str) -> None:
    assert "Front door" in text(signed_in, q=words)


def test_a_search_without_result_can_be_cleared(signed_in: Client, device: Device) -> None:
    page = text(signed_in, q="nowhere")
    assert "No locks match." in page and "Clear search" in page


def test_without_locks_it_names_the_next_step(signed_in: Client) -> None:
    assert "No locks yet. Add a hub" in text(signed_in)


def test_a_viewer_is_offered_no_changes(client: Client, vera: User) -> None:
    client.force_login(vera)
    assert "Add locks" not in text(client)


def test_pages_hold_fifty(signed_in: Client, place: Property, hub: Hub) -> None:
    factories.DeviceFactory.create_batch(51, property=place, hub=hub)
    assert "Page 1 of 2" in text(signed_in)
    assert text(signed_in, page=2).count('scope="row"') == 1


def test_it_tells_connection_battery_pool_and_warning(signed_in: Client, device: Device) -> None:
    scene.exhausted(device)
    page = text(signed_in)
    for words in ("Offline since", "Battery low: 12%", "Exhausted: 0 of 5 ready"):
        assert words in page


def test_a_lock_without_support_says_so(signed_in: Client, place: Property, hub: Hub) -> None:
    factories.DeviceFactory(property=place, hub=hub, caps=factories.UNREADABLE)
    assert "Not supported" in text(signed_in)


def test_a_hubs_outage_is_one_banner(signed_in: Client, place: Property, hub: Hub) -> None:
    factories.DeviceFactory.create_batch(3, property=place, hub=hub)
    Hub.objects.filter(pk=hub.pk).update(down_since=timezone.now() - timedelta(hours=1))
    page = text(signed_in)
    assert page.count("cannot be reached") == 1
    assert "3 locks behind it" in page


def test_a_new_hub_is_being_looked_at(signed_in: Client, hub: Hub) -> None:
    Hub.objects.update(searching_since=timezone.now())
    page = text(signed_in)
    assert "Looking for the locks of Simulated locks" in page
    assert "every 4s" in page


def test_a_hub_that_did_not_answer_is_named_with_the_time(signed_in: Client, hub: Hub, place: Property) -> None:
    Hub.objects.update(property=place, searched_at=timezone.now(), search_silence=Hub.Silence.UNREACHABLE)
    page = text(signed_in)
    assert "Simulated locks does not answer" in page and "it could not be reached." in page
    assert f"/devices/hubs/{hub.pk}/" in page and "every 20s" in page


def test_a_removed_lock_that_may_still_open_is_named(signed_in: Client, device: Device) -> None:
    scene.guest(device, "Ben Okafor", status=Pin.Status.SET)
    Device.objects.update(removal=Device.Removal.REMOVED)
    page = text(signed_in)
    assert "1 code may still open it." in page and reverse("device_removed", args=[device.pk]) in page
    Pin.objects.update(status=Pin.Status.REMOVED)
    assert "may still open it" not in text(signed_in)


def test_a_number_past_the_end_gives_the_last_page(signed_in: Client, device: Device) -> None:
    for number in ("7", "0", "x", "99999999999"):
        assert "Front door" in text(signed_in, page=number)


def test_it_refuses_post(signed_in: Client) -> None:
    assert signed_in.post(URL).status_code == 405
    assert signed_in.post(reverse("device_list_live")).status_code == 405


@pytest.mark.parametrize("count", [3, 10])
def test_queries_do_not_grow_with_rows(signed_in: Client, place: Property, hub: Hub, count: int) -> None:
    for device in factories.DeviceFactory.create_batch(count, property=place, hub=hub):
        factories.BackupCodeFactory.create_batch(2, pool=factories.BackupPoolFactory(device=device))
    with CaptureQueriesContext(connection) as queries:
        signed_in.get(URL)
    assert len(queries) <= 8, [q["sql"][:90] for q in queries]
