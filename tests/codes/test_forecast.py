"""Whether the lock's spaces will do, told before a guest's code finds no place."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from backups.status import pool_of
from codes.forecast import Forecast, forecast
from codes.models import AccessCode
from devices.models import Device, Hub, Pin, Property
from tests import factories, scene
from tests.factories import TINY

S = Pin.Status


@pytest.fixture
def tiny(place: Property, hub: Hub) -> Device:
    """Five spaces; its pool would hold three backups."""
    device = factories.DeviceFactory(property=place, hub=hub, name="Tiny", caps=TINY)
    factories.BackupPoolFactory(device=device, size=3)
    return device


def told(device: Device) -> Forecast:
    device = Device.objects.select_related("property", "hub", "backup_pool").get(pk=device.pk)
    found = forecast(device, pool_of(device), Pin.objects.filter(device=device, code_pin__isnull=False))
    assert found is not None
    return found


def arriving(device: Device, name: str, *, days: float, **pin: object) -> AccessCode:
    begins = timezone.now() + timedelta(days=days)
    return scene.guest(device, name, hours=days * 24, program_at=begins - timedelta(hours=1), **pin)


def test_with_room_for_all_it_says_how_much_is_needed(tiny: Device) -> None:
    arriving(tiny, "Ben", days=2)
    arriving(tiny, "Ana", days=9)
    found = told(tiny)
    assert (found.tone, found.peak) == ("quiet", 1)
    assert found.sentence == "At most 1 of 5 spaces in the next 14 days, besides 3 for backup codes."


def test_stays_that_overlap_count_together(tiny: Device) -> None:
    for name in ("Ben", "Ana"):
        arriving(tiny, name, days=2)
    assert (told(tiny).tone, told(tiny).peak) == ("quiet", 2)


def test_backups_make_way_and_it_says_from_when(tiny: Device) -> None:
    scene.ongoing(tiny, "Staff", status=S.SET)
    for name in ("Ben", "Ana"):
        arriving(tiny, name, days=5)
    found = told(tiny)
    assert found.tone == "warn"
    sentence = strip_tags(str(found.sentence))
    assert sentence.startswith("From ") and sentence.endswith("codes need 3 of 5 spaces: 1 backup code makes way.")


def test_one_code_too_many_is_warned_about_days_ahead(tiny: Device) -> None:
    for number in range(5):
        arriving(tiny, f"Guest {number}", days=6)
    found = told(tiny)
    assert found.tone == "bad"
    assert "codes need 5 of 5 spaces, and one is a backup’s." in strip_tags(str(found.sentence))


def test_what_others_put_there_takes_its_space(tiny: Device) -> None:
    Device.objects.filter(pk=tiny.pk).update(unmanaged=[1, 2, 3, 4])
    arriving(tiny, "Ben", days=2)
    assert told(tiny).tone == "bad"


def test_an_overdue_removal_keeps_its_space_and_is_told(tiny: Device) -> None:
    scene.guest(tiny, "Gone", hours=-90, status=S.REMOVING, wanted=Pin.Wanted.ABSENT)
    arriving(tiny, "Ben", days=2)
    found = told(tiny)
    assert (found.peak, found.overdue) == (2, 1)
    assert found.overdue_words == "1 removal is overdue and keeps its space."


def test_a_stay_that_ends_frees_its_space(tiny: Device) -> None:
    scene.guest(tiny, "Leaving", hours=-24, status=S.SET)
    arriving(tiny, "Ben", days=3)
    assert told(tiny).peak == 1


def test_what_lies_further_ahead_is_not_told(tiny: Device) -> None:
    for number in range(5):
        arriving(tiny, f"Guest {number}", days=30)
    assert told(tiny).tone == "quiet"


def test_a_refused_pin_takes_no_space(tiny: Device) -> None:
    arriving(tiny, "Ben", days=2, status=S.REFUSED)
    assert told(tiny).peak == 0


def test_a_lock_without_backups_has_room_for_guests_alone(place: Property, hub: Hub) -> None:
    device = factories.DeviceFactory(property=place, hub=hub, caps=factories.UNREADABLE)
    assert told(device).sentence == "At most 0 of 30 spaces in the next 14 days."


def test_a_lock_that_names_no_limit_has_no_forecast(signed_in: Client, place: Property, hub: Hub) -> None:
    device = factories.DeviceFactory(property=place, hub=hub, caps=factories.CLOUD)
    assert forecast(device, pool_of(device), []) is None
    page = signed_in.get(reverse("device", args=[device.pk])).content.decode()
    assert "Spaces on the lock" not in page


def test_the_lock_page_tells_it_whatever_the_filter(signed_in: Client, tiny: Device) -> None:
    for number in range(5):
        arriving(tiny, f"Guest {number}", days=6)
    page = signed_in.get(reverse("device", args=[tiny.pk]), {"q": "nobody"}).content.decode()
    assert "codes need 5 of 5 spaces, and one is a backup’s." in strip_tags(page)


def test_what_has_begun_is_said_to_be_now(tiny: Device) -> None:
    for name in ("Staff", "Gardener", "Cleaner"):
        scene.ongoing(tiny, name, status=S.SET)
    assert told(tiny).sentence == "From now on codes need 3 of 5 spaces: 1 backup code makes way."
