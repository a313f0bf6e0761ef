"""Removing a lock: a page of its own that says what is lost, then a POST."""

from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from devices.models import Device
from portal.models import User
from tests import scene


def test_it_says_what_will_happen(signed_in: Client, device: Device) -> None:
    scene.exhausted(device)
    page = signed_in.get(reverse("device_remove", args=[device.pk])).content.decode()
    words = " ".join(strip_tags(page).split())
    assert "Remove Front door, Lakeview Cottage?" in words
    assert "taken off" in words and "the backup pool ends" in words
    assert "The lock cannot be reached now." in words


def test_a_get_removes_nothing(signed_in: Client, device: Device) -> None:
    signed_in.get(reverse("device_remove", args=[device.pk]))
    device.refresh_from_db()
    assert device.removal == Device.Removal.KEPT


def test_a_post_begins_the_removal(signed_in: Client, device: Device) -> None:
    answer = signed_in.post(reverse("device_remove", args=[device.pk]))
    device.refresh_from_db()
    assert device.removal == Device.Removal.REMOVING
    assert answer["Location"] == reverse("device", args=[device.pk])


def test_viewers_may_not(client: Client, vera: User, device: Device) -> None:
    client.force_login(vera)
    assert client.post(reverse("device_remove", args=[device.pk])).status_code == 403
    device.refresh_from_db()
    assert device.removal == Device.Removal.KEPT


def test_strangers_find_nothing(client: Client, charlie: User, device: Device) -> None:
    client.force_login(charlie)
    assert client.post(reverse("device_remove", args=[device.pk])).status_code == 404
