""" "I'm on it": quiets a pool's warning, by a person who may."""

from django.test import Client
from django.urls import reverse

from backups.models import BackupPool
from devices.models import Device
from portal.models import User
from tests import scene


def url(device: Device) -> str:
    return reverse("pool_acknowledge", args=[device.pk])


def test_it_writes_down_who_and_goes_back(signed_in: Client, alice: User, device: Device) -> None:
    scene.exhausted(device)
    assert signed_in.post(url(device))["Location"] == reverse("device", args=[device.pk])
    assert BackupPool.objects.get().acknowledged_by == alice


def test_it_refuses_get(signed_in: Client, device: Device) -> None:
    scene.exhausted(device)
    assert signed_in.get(url(device)).status_code == 405


def test_viewers_may_not(client: Client, vera: User, device: Device) -> None:
    scene.exhausted(device)
    client.force_login(vera)
    assert client.post(url(device)).status_code == 403


def test_strangers_find_nothing(client: Client, charlie: User, device: Device) -> None:
    scene.exhausted(device)
    client.force_login(charlie)
    assert client.post(url(device)).status_code == 404
    assert BackupPool.objects.get().acknowledged_at is None
