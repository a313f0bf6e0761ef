"""Changing a property's zone: asked first, with what moves; then done."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from codes.models import AccessCode
from devices.models import Device, Property
from portal.models import User
from tests.engine import guest


@pytest.fixture(autouse=True)
def in_june() -> object:
    with time_machine.travel(datetime(2026, 6, 1, 12, tzinfo=UTC), tick=False):
        yield


@pytest.fixture
def code(device: Device) -> AccessCode:
    """From 15:00 on the 4th, Lisbon time."""
    return guest(device, starts=timedelta(days=3, hours=2))


def url(place: Property) -> str:
    return reverse("property_zone", args=[place.pk])


def words(client: Client, where: str, **query: str) -> str:
    return " ".join(strip_tags(client.get(where, query).content.decode()).split())


def test_it_asks_first_and_changes_nothing(signed_in: Client, place: Property, code: AccessCode) -> None:
    guest(code.device, "Ana Ruiz", starts=timedelta(hours=-1))
    told = words(signed_in, url(place), time_zone="America/New_York")
    assert "Change Lakeview Cottage from Europe/Lisbon to America/New_York?" in told
    assert "Ben Okafor, Front door: 4 Jun 15:00 →to 6 Jun 15:00 New York time" in told
    assert "check-in is 4 Jun 20:00 Lisbon time" in told
    assert "Ana Ruiz" not in told
    place.refresh_from_db()
    assert place.time_zone == "Europe/Lisbon"


def test_then_it_is_done(signed_in: Client, place: Property, code: AccessCode) -> None:
    answer = signed_in.post(url(place), {"time_zone": "America/New_York"})
    assert answer["Location"] == reverse("property_list")
    assert "is on New York time now. 1 stay to come was moved." in words(signed_in, answer["Location"])
    place.refresh_from_db()
    code.refresh_from_db()
    assert place.time_zone == "America/New_York"
    assert code.starts_at == datetime(2026, 6, 4, 19, tzinfo=UTC)


def test_the_form_comes_before_with_the_present_zone(signed_in: Client, place: Property) -> None:
    assert 'value="Europe/Lisbon"' in signed_in.get(url(place)).content.decode()


@pytest.mark.parametrize("method", ["get", "post"])
def test_an_unknown_zone_is_said_and_stays_typed(
    signed_in: Client, place: Property, code: AccessCode, method: str
) -> None:
    page = getattr(signed_in, method)(url(place), {"time_zone": "Atlantis"}).content.decode()
    assert "is no time zone" in page and 'value="Atlantis"' in page
    place.refresh_from_db()
    assert place.time_zone == "Europe/Lisbon"


def test_many_stays_are_counted(signed_in: Client, place: Property, device: Device) -> None:
    for number in range(22):
        guest(device, f"Guest {number}", starts=timedelta(days=number + 1))
    told = words(signed_in, url(place), time_zone="Asia/Tokyo")
    assert "22 stays to come keep what the clock on the wall says" in told and "and 2 more" in told


def test_a_refusal_while_a_lock_is_removed_moves_nothing(
    signed_in: Client, place: Property, code: AccessCode, device: Device
) -> None:
    Device.objects.filter(pk=device.pk).update(removal=Device.Removal.REMOVING)
    page = signed_in.post(url(place), {"time_zone": "Asia/Tokyo"}).content.decode()
    assert "This lock is being removed." in page
    place.refresh_from_db()
    assert place.time_zone == "Europe/Lisbon"


def test_only_those_who_may_change(client: Client, place: Property, vera: User, charlie: User) -> None:
    asked = {"time_zone": "Asia/Tokyo"}
    assert client.post(url(place), asked)["Location"].startswith("/accounts/login/")
    client.force_login(vera)
    assert client.post(url(place), asked).status_code == 403
    client.force_login(charlie)
    assert client.get(url(place), asked).status_code == 404


def test_it_rejects_put(signed_in: Client, place: Property) -> None:
    assert signed_in.put(url(place)).status_code == 405
