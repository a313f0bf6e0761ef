"""The page of all warnings."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from codes.models import AccessCode
from codes.services import cancel_code, pull_backup
from devices.models import Device, Hub, Pin, Property
from portal.models import User
from tests import engine, factories, scene

URL = "/backups/warnings/"


def test_it_names_lock_and_cause(signed_in: Client, device: Device) -> None:
    scene.exhausted(device)
    words = " ".join(strip_tags(signed_in.get(URL).content.decode()).split())
    assert "Backup pool exhausted: Front door, Lakeview Cottage" in words
    assert "(Lisbon time)" in words


def test_a_cause_without_a_time_names_no_zone(signed_in: Client, device: Device) -> None:
    scene.exhausted(device)
    Device.objects.update(online=Device.Online.YES, trouble=Pin.Trouble.REJECTED, trouble_count=4)
    words = " ".join(strip_tags(signed_in.get(URL).content.decode()).split())
    assert "Likely cause: the lock refused the PIN (4 times in a row). Check" in words


def test_it_says_whom_it_affects(signed_in: Client, device: Device) -> None:
    """Guests who hold a backup now; one who has left, or has another by now, is no longer affected."""
    engine.fill_pool(device)
    guests = [engine.guest(device, name, starts=timedelta(hours=-1)) for name in ("Ana Ruiz", "Ben Okafor", "Cy Li")]
    for code in guests:
        pull_backup(code)
    cancel_code(guests[2])
    words = " ".join(strip_tags(signed_in.get(URL).content.decode()).split())
    assert "Ana Ruiz and Ben Okafor are covered." in words and "Cy Li" not in words


def test_it_names_the_guest_for_whom_nothing_is_left(signed_in: Client, device: Device) -> None:
    scene.exhausted(device)
    html = signed_in.get(URL).content.decode()
    words = " ".join(strip_tags(html).split())
    left = AccessCode.objects.get(name="Chloé Martin")
    assert "Chloé Martin, " in words and "(Lisbon time): No backup available" in words
    assert reverse("code", args=[left.pk]) in html


def test_it_names_them_behind_a_hub_that_is_down_too(signed_in: Client, device: Device, hub: Hub) -> None:
    scene.exhausted(device)
    Hub.objects.filter(pk=hub.pk).update(down_since=timezone.now() - timedelta(minutes=9))
    words = " ".join(strip_tags(signed_in.get(URL).content.decode()).split())
    assert "cannot be reached" in words and "Chloé Martin, " in words and "No backup available" in words


def test_a_guest_at_risk_on_another_lock_is_not_named_here(signed_in: Client, device: Device, place: Property) -> None:
    scene.exhausted(device)
    other = factories.DeviceFactory(property=place, hub=device.hub, name="Side door")
    scene.guest(other, "Dee Poe", hours=6, trouble=Pin.Trouble.OFFLINE, attempts=3)
    assert "Dee Poe" not in signed_in.get(URL).content.decode()


def test_it_says_what_to_do_and_is_taken_on_there(signed_in: Client, device: Device) -> None:
    scene.exhausted(device)
    url = reverse("pool_acknowledge", args=[device.pk])
    page = signed_in.get(URL).content.decode()
    assert "Contact support" in page and url in page
    assert signed_in.post(url, {"back": "warnings"})["Location"] == URL
    page = signed_in.get(URL).content.decode()
    assert "Alice is on it since" in page and url not in page


def test_a_viewer_takes_nothing_on(client: Client, vera: User, device: Device) -> None:
    scene.exhausted(device)
    client.force_login(vera)
    page = client.get(URL).content.decode()
    assert "Contact support" in page and "on it" not in page


def test_it_says_when_there_are_none(signed_in: Client, device: Device) -> None:
    assert b"No warnings." in signed_in.get(URL).content


def test_a_hubs_outage_is_one(signed_in: Client, place: Property, hub: Hub) -> None:
    for device in factories.DeviceFactory.create_batch(3, property=place, hub=hub):
        factories.BackupPoolFactory(device=device)
    Hub.objects.update(down_since=timezone.now())
    page = signed_in.get(URL).content.decode()
    assert page.count("<section") == 1
    assert "It keeps the backup pools of 3 locks from refilling" in page


def test_other_workspaces_are_not_in_it(client: Client, charlie: User, device: Device) -> None:
    scene.exhausted(device)
    client.force_login(charlie)
    assert b"Front door" not in client.get(URL).content


def test_it_refuses_post(signed_in: Client) -> None:
    assert signed_in.post(URL).status_code == 405


@pytest.mark.parametrize("count", [3, 10])
def test_queries_do_not_grow_with_rows(signed_in: Client, place: Property, hub: Hub, count: int) -> None:
    for device in factories.DeviceFactory.create_batch(count, property=place, hub=hub):
        factories.BackupPoolFactory(device=device)
    with CaptureQueriesContext(connection) as queries:
        signed_in.get(reverse("warnings"))
    assert len(queries) <= 8


def test_a_lock_that_is_being_removed_warns_of_nothing(signed_in: Client, device: Device) -> None:
    """It is meant to have no backups any more."""
    scene.exhausted(device)
    Device.objects.update(removal=Device.Removal.REMOVING)
    assert b"No warnings." in signed_in.get(URL).content
    assert "Being removed" in signed_in.get("/devices/").content.decode()
    assert "Pools low or exhausted" not in signed_in.get("/").content.decode()
