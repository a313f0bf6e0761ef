"""Cancelling: a page of its own that names the code and what is lost, then a POST."""

from django.test import Client
from django.urls import reverse

from codes.models import AccessCode
from devices.models import Device, Pin
from portal.models import User
from tests import scene


def url(code: AccessCode) -> str:
    return reverse("code_cancel", args=[code.pk])


def test_it_names_the_code_and_what_is_lost(signed_in: Client, device: Device) -> None:
    page = signed_in.get(url(scene.guest(device, "Ben Okafor"))).content.decode()
    assert "Cancel Ben Okafor’s code on Front door?" in page
    assert "This cannot be undone" in page


def test_a_running_stay_is_warned_about(signed_in: Client, device: Device) -> None:
    page = signed_in.get(url(scene.guest(device, "Ben Okafor", hours=-5))).content.decode()
    assert "Ben Okafor will be locked out." in page


def test_a_get_cancels_nothing_and_a_post_does(signed_in: Client, device: Device) -> None:
    code = scene.guest(device, "Ben Okafor", status=Pin.Status.SET)
    signed_in.get(url(code))
    code.refresh_from_db()
    assert code.cancelled_at is None
    answer = signed_in.post(url(code))
    code.refresh_from_db()
    assert code.cancelled_at is not None
    assert answer["Location"] == reverse("device", args=[device.pk])


def test_twice_is_harmless(signed_in: Client, device: Device) -> None:
    code = scene.guest(device, "Ben Okafor", status=Pin.Status.SET)
    assert {signed_in.post(url(code)).status_code for _ in range(2)} == {302}
    assert b"This code is over already." in signed_in.get(url(code)).content


def test_viewers_may_not_and_strangers_find_nothing(client: Client, vera: User, charlie: User, device: Device) -> None:
    code = scene.guest(device, "Ben Okafor")
    for person, status in ((vera, 403), (charlie, 404)):
        client.force_login(person)
        assert client.post(url(code)).status_code == status
    code.refresh_from_db()
    assert code.cancelled_at is None
