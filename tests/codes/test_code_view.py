"""One code's page: what it is doing, who covers it, what happened."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import strip_tags

from codes.models import AccessCode
from devices.models import Device, Event, Pin
from portal.models import User
from tests import factories, scene


def words_of(client: Client, code: AccessCode) -> str:
    return " ".join(strip_tags(client.get(reverse("code", args=[code.pk])).content.decode()).split())


def test_it_tells_status_schedule_and_cover(signed_in: Client, device: Device) -> None:
    code = scene.covered(device, factories.BackupPoolFactory(device=device), "Ben Okafor")
    words = words_of(signed_in, code)
    assert "Covered by backup" in words and "It follows the same dates and stops with them." in words
    assert "Lisbon time" in words
    assert "given to Ben Okafor" in words


def test_history_is_this_codes_own(signed_in: Client, device: Device) -> None:
    code = scene.guest(device, "Ben Okafor", status=Pin.Status.SET)
    scene.event(device, Event.Type.CODE_SET, subject=code.pk, name="Ben Okafor")
    scene.event(device, Event.Type.CODE_SET, name="Ana Ruiz")
    words = words_of(signed_in, code)
    assert "Ben Okafor’s code is set on the lock" in words
    assert "Ana Ruiz" not in words


def test_a_guests_code_offers_a_backup_and_an_ongoing_one_says_why_not(signed_in: Client, device: Device) -> None:
    assert "Use a backup code now" in words_of(signed_in, scene.guest(device, "Ben", status=Pin.Status.SET))
    words = words_of(signed_in, scene.ongoing(device, "Housekeeping", status=Pin.Status.SET))
    assert "Use a backup code now" not in words
    assert "Backup codes do not cover ongoing codes." in words


def test_a_viewer_is_offered_nothing(client: Client, vera: User, device: Device) -> None:
    client.force_login(vera)
    words = words_of(client, scene.guest(device, "Ben", status=Pin.Status.SET))
    for offer in ("Show PIN", "Use a backup code now", "Cancel this code"):
        assert offer not in words


@pytest.mark.parametrize("name", ["code", "code_live", "code_backup", "code_cancel"])
def test_strangers_find_nothing(client: Client, charlie: User, device: Device, name: str) -> None:
    code = scene.guest(device, "Ben")
    client.force_login(charlie)
    assert client.get(reverse(name, args=[code.pk])).status_code == 404


def test_it_refuses_post(signed_in: Client, device: Device) -> None:
    assert signed_in.post(reverse("code", args=[scene.guest(device, "Ben").pk])).status_code == 405


@pytest.mark.parametrize("count", [3, 10])
def test_queries_do_not_grow_with_history(signed_in: Client, device: Device, count: int) -> None:
    code = scene.covered(device, factories.BackupPoolFactory(device=device), "Ben Okafor")
    for _ in range(count):
        scene.event(device, Event.Type.CODE_REVEALED, subject=code.pk, name="Ben Okafor")
    with CaptureQueriesContext(connection) as queries:
        signed_in.get(reverse("code", args=[code.pk]))
    assert len(queries) <= 8
