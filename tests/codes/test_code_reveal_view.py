"""Showing a PIN: a deliberate act, recorded, never cached, and never the failed one."""

from django.test import Client
from django.urls import reverse

from codes.models import AccessCode
from devices.models import Device, Event, Pin
from portal.models import User
from tests import factories, scene
from tests.digits import stands_in


def url(code: AccessCode) -> str:
    return reverse("code_reveal", args=[code.pk])


def test_without_javascript_it_is_a_page(signed_in: Client, device: Device) -> None:
    page = signed_in.post(url(scene.guest(device, "Ben", status=Pin.Status.SET, digits="5839")))
    assert b"5839" in page.content and b"<h1>" in page.content


def test_htmx_gets_the_pin_alone(signed_in: Client, device: Device) -> None:
    code = scene.guest(device, "Ben", status=Pin.Status.SET, digits="5839")
    part = signed_in.post(url(code), headers={"HX-Request": "true"})
    assert b"5839" in part.content and b"<h1>" not in part.content


def test_it_is_recorded_without_the_digits(signed_in: Client, alice: User, device: Device) -> None:
    code = scene.guest(device, "Ben", status=Pin.Status.SET, digits="5839")
    signed_in.post(url(code))
    event = Event.objects.get(type=Event.Type.CODE_REVEALED)
    assert (event.actor, event.subject) == (alice, code.pk)
    assert "5839" not in str(event.data)
    assert code.code_pins.get().revealed_at is not None


def test_it_is_kept_by_no_cache(signed_in: Client, device: Device) -> None:
    page = signed_in.post(url(scene.guest(device, "Ben", status=Pin.Status.SET)))
    assert "no-store" in page["Cache-Control"]


def test_a_covered_guest_gets_the_backups_pin(signed_in: Client, device: Device) -> None:
    code = scene.covered(device, factories.BackupPoolFactory(device=device), "Ben")
    page = signed_in.post(url(code)).content.decode()
    assert stands_in(Pin.objects.get(code_pin__code=code, code_pin__role="backup").secret.reveal(), page)
    assert not stands_in(Pin.objects.get(code_pin__code=code, code_pin__role="own").secret.reveal(), page)


def test_a_code_that_does_not_work_shows_none_and_records_none(signed_in: Client, device: Device) -> None:
    page = signed_in.post(url(scene.guest(device, "Ben", digits="5839")))
    assert b"No PIN works for this code now." in page.content and b"5839" not in page.content
    assert not Event.objects.filter(type=Event.Type.CODE_REVEALED).exists()


def test_it_refuses_get(signed_in: Client, device: Device) -> None:
    assert signed_in.get(url(scene.guest(device, "Ben", status=Pin.Status.SET))).status_code == 405


def test_viewers_may_not_and_strangers_find_nothing(client: Client, vera: User, charlie: User, device: Device) -> None:
    code = scene.guest(device, "Ben", status=Pin.Status.SET, digits="5839")
    for person, status in ((vera, 403), (charlie, 404)):
        client.force_login(person)
        answer = client.post(url(code))
        assert (answer.status_code, b"5839" in answer.content) == (status, False)
    assert not Event.objects.exists()
