"""Renaming a lock, and moving it to another property."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from devices.models import Device, Event, Pin, Property
from portal.models import User
from tests import factories, scene


@pytest.fixture
def barn(place: Property) -> Property:
    return factories.PropertyFactory(workspace=place.workspace, name="Barn")


def save(client: Client, device: Device, **changes: object) -> str:
    fields = {"name": device.name, "property": str(device.property_id), **changes}
    response = client.post(reverse("device_edit", args=[device.pk]), fields, follow=True)
    device.refresh_from_db()
    return response.content.decode()


def test_it_is_renamed_and_who_did_it_is_written_down(signed_in: Client, alice: User, device: Device) -> None:
    assert "“Blue door” is saved." in save(signed_in, device, name=" Blue door ")
    assert device.name == "Blue door"
    event = Event.objects.get(type=Event.Type.DEVICE_CHANGED)
    assert event.actor == alice
    page = signed_in.get("/activity/").content.decode()
    assert "Blue door was renamed or moved" in page and "Called Front door before." in page


def test_it_is_moved_with_its_codes(signed_in: Client, device: Device, barn: Property) -> None:
    scene.guest(device, "Ben Okafor", status=Pin.Status.SET)
    save(signed_in, device, property=barn.pk)
    assert device.property == barn
    assert "From Lakeview Cottage to Barn." in signed_in.get("/activity/").content.decode()


def test_into_another_zone_only_when_no_stay_is_planned(signed_in: Client, device: Device, barn: Property) -> None:
    Property.objects.filter(pk=barn.pk).update(time_zone="Asia/Tokyo")
    code = scene.guest(device, "Ben Okafor")
    page = save(signed_in, device, property=barn.pk, name="Blue door")
    assert "Barn is on Tokyo time" in page and "meant in Lisbon time" in page and 'value="Blue door"' in page
    assert device.property != barn and device.name == "Front door"
    Pin.objects.filter(code_pin__code=code).update(wanted_until=timezone.now() - timedelta(hours=1))
    save(signed_in, device, property=barn.pk)
    assert device.property == barn


def test_saved_unchanged_nothing_happened(signed_in: Client, device: Device) -> None:
    save(signed_in, device)
    assert not Event.objects.exists()


@pytest.mark.parametrize("name", ["", " ", "x" * 101])
def test_a_bad_name_is_refused(signed_in: Client, device: Device, name: str) -> None:
    assert 'aria-invalid="true"' in save(signed_in, device, name=name)
    assert device.name == "Front door"


def test_another_workspaces_property_is_no_choice(signed_in: Client, device: Device) -> None:
    theirs = factories.PropertyFactory(name="Their house")
    page = save(signed_in, device, property=theirs.pk)
    assert "Select a valid choice" in page and "Their house" not in page


def test_night_staff_may_not(client: Client, nina: User, device: Device) -> None:
    client.force_login(nina)
    assert client.get(reverse("device_edit", args=[device.pk])).status_code == 403
    assert b"Rename or move" not in client.get(reverse("device", args=[device.pk])).content


def test_a_removed_lock_is_not_found(signed_in: Client, device: Device) -> None:
    Device.objects.update(removal=Device.Removal.REMOVED)
    assert signed_in.get(reverse("device_edit", args=[device.pk])).status_code == 404
