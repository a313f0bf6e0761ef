"""A lock on its way out: what is still on it, forcing the end, what is listed afterwards, taking it back."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from devices.models import Device, Event, Pin, SimulatedLock
from devices.services import mark_removed, remove_lock
from portal.models import User
from tests.engine import fault, fill_pool, guest, later, settle, truth

T = Event.Type


def url(name: str, device: Device) -> str:
    return reverse(name, args=[device.pk])


def words(client: Client, address: str) -> str:
    return " ".join(strip_tags(client.get(address, follow=True).content.decode().split('id="main"')[1]).split())


@pytest.fixture
def stuck(device: Device) -> Device:
    """With a guest's code and a pool on it, being removed, and out of reach for three hours."""
    fill_pool(device)
    guest(device)
    settle(device)
    fault(device, "unreachable")
    remove_lock(device)
    settle(device)
    Device.objects.update(removing_since=timezone.now() - timedelta(hours=3))
    device.refresh_from_db()
    return device


def test_its_page_says_what_is_still_on_it_and_for_how_long(signed_in: Client, stuck: Device) -> None:
    page = words(signed_in, url("device", stuck))
    assert "This lock is being removed" in page and "for 3 hours" in page
    assert "6 codes are still on it and may open the door: Ben Okafor" in page and "(Seam)" in page
    assert "Offline since" in page and "Next try" in page and "End the removal now" in page


def test_forcing_says_beforehand_which_codes_may_still_open(signed_in: Client, stuck: Device) -> None:
    page = words(signed_in, url("device_mark_removed", stuck))
    assert "6 codes have not been taken off. They may go on opening this door, for good: Ben Okafor" in page
    stuck.refresh_from_db()
    assert stuck.removal == Device.Removal.REMOVING


def test_forced_it_is_removed_and_lists_what_is_left(signed_in: Client, alice: User, stuck: Device) -> None:
    answer = signed_in.post(url("device_mark_removed", stuck))
    assert answer["Location"] == url("device_removed", stuck)
    stuck.refresh_from_db()
    assert stuck.removal == Device.Removal.REMOVED and stuck.next_sync_at is None
    page = words(signed_in, url("device_removed", stuck))
    assert "“Front door” is removed. 6 codes may still open it." in page
    assert "Alice ended the removal before the lock had answered." in page
    assert "What may still open it" in page and "Ben Okafor" in page
    assert Event.objects.get(type=T.DEVICE_REMOVED).actor == alice
    assert "May still open it: Ben Okafor" in words(signed_in, "/activity/")


def test_no_pin_is_on_any_of_these_pages(signed_in: Client, stuck: Device) -> None:
    digits = set(truth(stuck).values())
    pages = [words(signed_in, url(name, stuck)) for name in ("device", "device_mark_removed")]
    mark_removed(stuck)
    pages.append(words(signed_in, url("device_removed", stuck)))
    assert digits and not [one for one in digits for page in pages if one in page.split()]


def test_one_that_answers_ends_by_itself_and_its_open_page_follows(signed_in: Client, stuck: Device) -> None:
    fault(stuck)
    with later(minutes=20):
        settle(stuck)
    assert stuck.removal == Device.Removal.REMOVED and truth(stuck) == {}
    poll = signed_in.get(url("device_live", stuck), headers={"HX-Request": "true"})
    assert poll["HX-Redirect"] == url("device_removed", stuck)
    page = words(signed_in, url("device", stuck))
    assert "Nothing of ours is on it" in page and "ended the removal" not in page


def test_taken_back_while_it_is_being_removed(signed_in: Client, alice: User, stuck: Device) -> None:
    assert signed_in.post(url("device_restore", stuck))["Location"] == url("device", stuck)
    stuck.refresh_from_db()
    assert (stuck.removal, stuck.removing_since) == (Device.Removal.KEPT, None)
    assert Event.objects.filter(type=T.DEVICE_ADDED).latest("pk").actor == alice


def test_taken_back_after_it_was_forced_what_was_left_is_taken_off(signed_in: Client, stuck: Device) -> None:
    before = set(truth(stuck).values())
    signed_in.post(url("device_mark_removed", stuck))
    signed_in.post(url("device_restore", stuck))
    fault(stuck)
    with later(minutes=20):
        settle(stuck, turns=30)
    now_there = set(truth(stuck).values())
    assert stuck.removal == Device.Removal.KEPT
    assert not before & now_there and len(now_there) == 5  # a new pool, none of the old digits


def test_a_lock_in_use_cannot_be_forced(signed_in: Client, device: Device) -> None:
    for answer in (
        signed_in.get(url("device_mark_removed", device)),
        signed_in.post(url("device_mark_removed", device)),
    ):
        assert answer["Location"] == url("device", device)
    device.refresh_from_db()
    assert device.removal == Device.Removal.KEPT
    assert signed_in.get(url("device_removed", device))["Location"] == url("device", device)


def test_it_ended_by_itself_while_the_question_stood(signed_in: Client, stuck: Device, bob: User) -> None:
    mark_removed(stuck, actor=bob)
    assert signed_in.post(url("device_mark_removed", stuck))["Location"] == url("device_removed", stuck)
    assert Event.objects.filter(type=T.DEVICE_REMOVED).count() == 1


def test_restoring_a_lock_in_use_changes_nothing(signed_in: Client, device: Device) -> None:
    signed_in.post(url("device_restore", device))
    assert not Event.objects.exists() and SimulatedLock.objects.count() == 1


def test_night_staff_look_and_force_nothing(client: Client, nina: User, stuck: Device) -> None:
    client.force_login(nina)
    page = words(client, url("device", stuck))
    assert "may open the door" in page and "End the removal now" not in page
    assert client.post(url("device_mark_removed", stuck)).status_code == 403
    assert client.post(url("device_restore", stuck)).status_code == 403
    assert Pin.objects.maybe_on_lock().count() == 6


@pytest.mark.parametrize("name", ["device_mark_removed", "device_removed", "device_restore"])
def test_strangers_find_nothing(client: Client, charlie: User, stuck: Device, name: str) -> None:
    client.force_login(charlie)
    method = client.post if name == "device_restore" else client.get
    assert method(url(name, stuck)).status_code == 404
