"""Changing a PIN, trying again: the rule that is broken is named, and digits that work are offered."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from codes.models import AccessCode
from codes.services import add_code, cancel_code, pull_backup
from devices.models import Device, Event
from portal.models import User
from portal.secret import Secret
from tests.engine import fault, fill_pool, guest, own, settle, shown


@pytest.fixture
def staying(device: Device) -> AccessCode:
    fill_pool(device)
    code = guest(device, starts=timedelta(hours=-1))
    settle(device)
    return code


def url(code: AccessCode) -> str:
    return reverse("code_pin", args=[code.pk])


def text(page: bytes) -> str:
    return " ".join(strip_tags(page.decode()).split())


def told(client: Client, code: AccessCode) -> str:
    return text(client.get(reverse("code", args=[code.pk])).content)


def test_it_suggests_a_pin_that_the_lock_takes(signed_in: Client, staying: AccessCode, device: Device) -> None:
    answer = signed_in.get(url(staying))
    suggested = re.search(r'name="pin" value="(\d+)"', answer.content.decode())
    assert suggested is not None
    assert "no-store" in answer["Cache-Control"]
    signed_in.post(url(staying), {"pin": suggested.group(1)})
    settle(device)
    pin = shown(staying)
    assert pin is not None and pin.secret.reveal() == suggested.group(1)


def test_while_the_stay_runs_it_says_that_the_old_one_works_on(signed_in: Client, staying: AccessCode) -> None:
    assert "The PIN from before opens the door until the lock has the new one." in text(
        signed_in.get(url(staying)).content
    )
    answer = signed_in.post(url(staying), {"pin": "4831"})
    assert answer["Location"] == reverse("code", args=[staying.pk])
    said = told(signed_in, staying)
    assert "The PIN from before opens the door until the lock has the new one." in said
    assert "A new PIN is on its way. This one works until the lock has it." in said


def test_a_covered_code_says_which_backup_opens_meanwhile(signed_in: Client, staying: AccessCode) -> None:
    spare = pull_backup(staying)
    assert f"Ben Okafor uses {spare}. It opens the door until the lock has the new PIN." in text(
        signed_in.get(url(staying)).content
    )


def test_a_broken_rule_is_named_and_a_pin_that_works_is_offered(signed_in: Client, staying: AccessCode) -> None:
    page = signed_in.post(url(staying), {"pin": "12"}).content.decode()
    assert "On this lock a PIN has 4 to 6 digits." in text(page.encode())
    assert 'value="12"' in page
    offered = re.search(r'name="offered" value="(\d+)"', page)
    assert offered is not None
    signed_in.post(url(staying), {"pin": "12", "offered": offered.group(1)})
    settle(staying.device)
    pin = shown(staying)
    assert pin is not None and pin.secret.reveal() == offered.group(1)


def test_enter_in_the_field_never_takes_the_offer(signed_in: Client, staying: AccessCode) -> None:
    page = signed_in.post(url(staying), {"pin": "12"}).content.decode()
    assert page.index(">Change PIN</button>") < page.index('name="offered"')


def test_one_that_is_taken_is_refused(signed_in: Client, staying: AccessCode, device: Device) -> None:
    other = own(guest(device, "Ana Ruiz")).secret.reveal()
    assert "This PIN is taken on this lock." in text(signed_in.post(url(staying), {"pin": other}).content)


def test_letters_and_nothing_are_refused(signed_in: Client, staying: AccessCode) -> None:
    assert "A PIN has digits only." in text(signed_in.post(url(staying), {"pin": "four"}).content)
    assert "required" in text(signed_in.post(url(staying), {"pin": " "}).content)


def test_another_suggestion_changes_nothing(signed_in: Client, staying: AccessCode) -> None:
    signed_in.post(url(staying), {"pin": "4831", "suggest": "1"})
    assert not Event.objects.filter(type=Event.Type.CODE_PIN_CHANGED).exists()


def test_a_code_that_is_over_says_so(signed_in: Client, staying: AccessCode) -> None:
    cancel_code(staying)
    assert "its PIN cannot be changed" in text(signed_in.get(url(staying)).content)
    assert "its PIN cannot be changed" in text(signed_in.post(url(staying), {"pin": "4831"}).content)


def test_a_refused_new_pin_is_told_on_the_codes_page(signed_in: Client, staying: AccessCode, device: Device) -> None:
    fault(device, "reject_set")
    signed_in.post(url(staying), {"pin": "4831"})
    settle(device)
    assert "The lock refused the new PIN. The one from before still works." in told(signed_in, staying)


def test_a_pin_that_changed_after_it_was_seen_is_told(signed_in: Client, staying: AccessCode, device: Device) -> None:
    signed_in.post(reverse("code_reveal", args=[staying.pk]))
    assert "The PIN changed after it was seen" not in told(signed_in, staying)
    signed_in.post(url(staying), {"pin": "4831"})
    settle(device)
    assert "The PIN changed after it was seen" in told(signed_in, staying)
    signed_in.post(reverse("code_reveal", args=[staying.pk]))
    assert "The PIN changed after it was seen" not in told(signed_in, staying)


def test_it_rejects_put(signed_in: Client, staying: AccessCode) -> None:
    assert signed_in.put(url(staying)).status_code == 405


class TestTryAgain:
    @pytest.fixture
    def failed(self, device: Device) -> AccessCode:
        fault(device, "reject_set")
        code = add_code(device=device, name="Housekeeping", kind=AccessCode.Kind.ONGOING, pin=Secret("4831"))
        settle(device)
        return code

    def test_a_failed_code_offers_it(self, signed_in: Client, failed: AccessCode) -> None:
        said = told(signed_in, failed)
        assert "Failed Backup codes do not cover ongoing codes. Try again or change the PIN." in said
        assert "Try again Edit name and reference Change PIN" in said

    def test_it_is_tried_again(self, signed_in: Client, alice: User, failed: AccessCode, device: Device) -> None:
        fault(device)
        answer = signed_in.post(reverse("code_retry", args=[failed.pk]))
        assert answer["Location"] == reverse("code", args=[failed.pk])
        assert "Trying again." in told(signed_in, failed)
        settle(device)
        assert "Set on lock" in told(signed_in, failed)
        assert Event.objects.get(type=Event.Type.CODE_RETRIED).actor == alice

    def test_one_that_works_says_why_not(self, signed_in: Client, staying: AccessCode) -> None:
        signed_in.post(reverse("code_retry", args=[staying.pk]))
        assert "There is nothing to try again" in told(signed_in, staying)
