"""The guest's link: the PIN that opens the door, and nothing that tells a backup from any other."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from codes.models import AccessCode, CodePin
from codes.services import add_code, cancel_code, pull_backup
from devices.models import Device, Event
from tests.engine import fault, fill_pool, guest, later, settle, truth


@pytest.fixture
def code(device: Device) -> AccessCode:
    device.property.guest_phone = "+351 21 000 0000"
    device.property.save()
    fill_pool(device)
    code = guest(device, starts=timedelta(hours=3))
    settle(device)
    return code


def page(client: Client, code: AccessCode) -> str:
    response = client.get(f"/g/{code.guest_token}/")
    assert response.status_code == 200
    return response.content.decode()


def shown(html: str) -> str | None:
    found = re.search(r'guest-pin">(\d+)<', html)
    return found.group(1) if found else None


def test_it_shows_the_pin_that_opens_the_lock(client: Client, code: AccessCode, device: Device) -> None:
    assert shown(page(client, code)) in truth(device).values()


def test_it_needs_no_sign_in_and_is_kept_by_nobody(client: Client, code: AccessCode) -> None:
    response = client.get(f"/g/{code.guest_token}/")
    assert "no-store" in response["Cache-Control"]
    assert "noindex" in response["X-Robots-Tag"]
    assert response["Referrer-Policy"] == "no-referrer"


def test_with_a_backup_it_is_the_same_but_for_the_pin(client: Client, code: AccessCode, device: Device) -> None:
    with later(hours=4):
        own = page(client, code)
        pull_backup(code)
        settle(device)
        backup = page(client, code)
        assert shown(own) != shown(backup)
        assert shown(backup) in truth(device).values()

        def masked(html: str) -> str:
            return re.sub(r'guest-pin">\d+|value="[0-9a-f]{12}"', "", html)

        assert masked(own) == masked(backup)
        assert "ackup" not in backup


def test_before_the_reveal_time_it_says_when(client: Client, device: Device) -> None:
    code = guest(device, starts=timedelta(days=3))
    html = page(client, code)
    assert shown(html) is None
    assert "It is shown from" in html


def test_a_backup_is_not_shown_before_check_in(client: Client, code: AccessCode, device: Device) -> None:
    pull_backup(code)
    settle(device)
    assert shown(page(client, code)) is None
    with later(hours=3):
        assert shown(page(client, code)) in truth(device).values()


def test_a_pin_that_is_not_confirmed_is_not_shown(client: Client, device: Device) -> None:
    fault(device, "unreachable")
    code = guest(device, starts=timedelta(hours=3))
    assert shown(page(client, code)) is None


def test_with_no_working_pin_it_says_whom_to_call(client: Client, device: Device) -> None:
    device.property.guest_phone = "+351 21 000 0000"
    device.property.save()
    fault(device, "reject_set")
    code = guest(device, starts=timedelta(hours=-1))
    settle(device)
    html = page(client, code)
    assert "Call us" in html
    assert 'href="tel:+351210000000"' in html


def test_a_cancelled_stay_shows_no_pin(client: Client, code: AccessCode) -> None:
    cancel_code(code)
    html = page(client, code)
    assert shown(html) is None
    assert "over" in html


def test_seeing_it_is_written_down_once(client: Client, code: AccessCode) -> None:
    page(client, code)
    page(client, code)
    assert CodePin.objects.get(code=code).revealed_at is not None
    assert Event.objects.filter(type=Event.Type.CODE_OPENED_BY_GUEST, subject=code.pk).count() == 1


def test_a_poll_that_changed_nothing_is_empty(client: Client, code: AccessCode) -> None:
    seen = re.search(r'name="seen-door" value="(\w+)"', page(client, code)).group(1)
    response = client.get(f"/g/{code.guest_token}/", {"seen-door": seen}, headers={"HX-Request": "true"})
    assert response.status_code == 204


@pytest.mark.usefixtures("code")
def test_a_guessed_or_ongoing_link_leads_nowhere(client: Client, device: Device) -> None:
    ongoing = add_code(device=device, name="Housekeeping", kind="ongoing")
    assert client.get(f"/g/{ongoing.guest_token}/").status_code == 404
    assert client.get("/g/guess/").status_code == 404
    assert client.post("/g/guess/").status_code == 405
