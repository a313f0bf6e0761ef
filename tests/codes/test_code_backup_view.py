""" "Use a backup code now": asked once more, told how many are left, and safe to press twice."""

from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from codes.models import AccessCode, CodePin
from devices.models import Device, Event, Pin
from portal.models import User
from tests import factories, scene
from tests.digits import stands_in


def url(code: AccessCode) -> str:
    return reverse("code_backup", args=[code.pk])


def ready(device: Device, count: int) -> None:
    factories.BackupCodeFactory.create_batch(count, pool=factories.BackupPoolFactory(device=device))


def test_it_says_how_many_are_left(signed_in: Client, device: Device) -> None:
    ready(device, 4)
    page = signed_in.get(url(scene.guest(device, "Ben", status=Pin.Status.SET))).content.decode()
    assert "Use one (4 left)" in page


def test_a_post_gives_the_guest_one_and_a_second_the_same(signed_in: Client, device: Device) -> None:
    ready(device, 4)
    code = scene.guest(device, "Ben", status=Pin.Status.SET)
    first = signed_in.post(url(code), follow=True)
    signed_in.post(url(code))
    assert "now opens the door for Ben." in first.content.decode()
    assert code.code_pins.filter(role=CodePin.Role.BACKUP).count() == 1


def test_its_pin_is_shown_at_once_if_wanted_and_that_is_recorded(signed_in: Client, device: Device) -> None:
    ready(device, 1)
    code = scene.guest(device, "Ben", status=Pin.Status.SET)
    page = signed_in.post(url(code), {"show": "1"})
    given = code.code_pins.get(role=CodePin.Role.BACKUP)
    assert stands_in(given.pin.secret.reveal(), page.content.decode())
    assert "no-store" in page["Cache-Control"]
    assert given.revealed_at is not None
    assert Event.objects.filter(type=Event.Type.CODE_REVEALED, subject=code.pk).count() == 1
    quiet = scene.guest(device, "Ana", status=Pin.Status.SET)
    ready_again = factories.BackupCodeFactory(pool=device.backup_pool)
    signed_in.post(url(quiet))
    page = signed_in.get(f"/codes/{quiet.pk}/").content.decode()
    assert not stands_in(ready_again.pin.secret.reveal(), page)
    assert not Event.objects.filter(type=Event.Type.CODE_REVEALED, subject=quiet.pk).exists()


def test_without_a_spare_it_says_so(signed_in: Client, device: Device) -> None:
    ready(device, 0)
    code = scene.guest(device, "Ben", status=Pin.Status.SET)
    page = signed_in.get(url(code)).content.decode()
    assert "No backup code is ready on this lock now." in page and '<button class="btn">' not in page
    assert "No backup code is ready" in signed_in.post(url(code), follow=True).content.decode()


def test_an_ongoing_code_gets_none(signed_in: Client, device: Device) -> None:
    ready(device, 4)
    code = scene.ongoing(device, "Housekeeping", status=Pin.Status.SET)
    words = "Backup codes do not cover ongoing codes. Try again or change the PIN."
    assert words in strip_tags(signed_in.get(url(code)).content.decode())
    assert words in signed_in.post(url(code), follow=True).content.decode()
    assert not code.code_pins.filter(role=CodePin.Role.BACKUP).exists()


def test_viewers_may_not(client: Client, vera: User, device: Device) -> None:
    ready(device, 4)
    client.force_login(vera)
    code = scene.guest(device, "Ben", status=Pin.Status.SET)
    assert client.post(url(code)).status_code == 403
    assert code.code_pins.count() == 1
