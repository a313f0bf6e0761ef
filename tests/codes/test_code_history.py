"""A code's page tells everything that ever happened to it: tries, backups, reschedules, who saw it, how it left."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.html import strip_tags

from codes.change_pin import change_pin
from codes.models import AccessCode
from codes.services import cancel_code, change_code, pull_backup, reveal
from codes.tick import sweep
from devices.models import Device, Event, Hub, Pin, Property
from portal.models import User
from tests import factories
from tests.engine import fault, fill_pool, guest, later, own, settle

T = Event.Type


def words(client: Client, code: AccessCode) -> str:
    return " ".join(strip_tags(client.get(f"/codes/{code.pk}/").content.decode().split('id="main"')[1]).split())


def told(code: AccessCode, kind: Event.Type) -> list[dict[str, object]]:
    return [event.data for event in Event.objects.filter(subject=code.pk, type=kind).order_by("pk")]


def test_a_lock_that_cannot_confirm_is_not_said_to_have_it(signed_in: Client, place: Property, hub: Hub) -> None:
    code = guest(factories.DeviceFactory(property=place, hub=hub, caps=factories.UNREADABLE))
    settle(code.device)
    page = words(signed_in, code)
    assert "Ben Okafor’s code was sent, and this lock cannot confirm it" in page
    assert "is set on the lock" not in page


class TestTries:
    def test_the_first_that_fails_for_a_reason_is_told_and_then_the_success(
        self, signed_in: Client, device: Device
    ) -> None:
        code = guest(device, starts=timedelta(days=2))
        fault(device, "ignore_set")
        settle(device)
        for minutes in (5, 15):
            with later(minutes=minutes):
                settle(device)
        assert [one["reason"] for one in told(code, T.CODE_DELAYED)] == ["not_stored"]
        assert "takes longer than usual: the lock said yes but did not store it, 1 try" in words(signed_in, code)
        fault(device)
        with later(hours=2):
            settle(device)
        assert f"code is set on the lock: {told(code, T.CODE_SET)[0]['tries']} tries" in words(signed_in, code)

    def test_another_reason_is_told_too(self, device: Device) -> None:
        code = guest(device, starts=timedelta(days=2))
        fault(device, "ignore_set")
        settle(device)
        fault(device, "apply_then_silent")
        with later(minutes=5):
            settle(device)
        fault(device, "ignore_set")
        reasons = [one["reason"] for one in told(code, T.CODE_DELAYED)]
        assert reasons[0] == "not_stored" and len(reasons) == len(set(reasons))

    def test_each_pin_it_was_given_is_listed_without_its_digits(self, signed_in: Client, device: Device) -> None:
        fill_pool(device)
        code = guest(device)
        fault(device, "reject_set")
        settle(device)
        page = words(signed_in, code)
        assert "4 PINs were given to it PIN 1: Refused" in page or "PIN 1: Removed" in page
        assert "PIN 3:" in page and "Last trouble: the lock refused the PIN." in page
        assert "Last read on the lock" in page
        digits = {one.pin.secret.reveal() for one in code.code_pins.select_related("pin")}
        assert len(digits) == 4 and not digits & set(page.split())


class TestReschedules:
    def test_old_and_new_times_are_told_in_the_propertys_zone(self, signed_in: Client, device: Device) -> None:
        code = guest(device, starts=timedelta(days=2))
        start = code.starts_at
        change_code(code, name="Ben", starts_at=start, ends_at=start + timedelta(days=5))
        page = words(signed_in, code)
        assert "Ben’s code changed" in page and " instead of " in page and "Called Ben Okafor before." in page

    def test_a_name_alone_tells_no_times(self, signed_in: Client, device: Device) -> None:
        code = guest(device, starts=timedelta(days=2))
        change_code(code, name="Ben", starts_at=code.starts_at, ends_at=code.ends_at)
        assert " instead of " not in words(signed_in, code)


class TestRemoval:
    @pytest.fixture
    def stuck(self, device: Device) -> AccessCode:
        code = guest(device)
        settle(device)
        fault(device, "unreachable")
        cancel_code(code)
        settle(device)
        return code

    def test_one_that_takes_too_long_is_told_once(self, signed_in: Client, stuck: AccessCode) -> None:
        sweep()
        assert not told(stuck, T.CODE_REMOVAL_LATE)
        for minutes in (3, 4, 5):
            with later(minutes=minutes):
                sweep()
        assert len(told(stuck, T.CODE_REMOVAL_LATE)) == 1
        assert "should be off the lock and is not yet It may still open the door." in words(signed_in, stuck)

    def test_and_its_end_as_well(self, signed_in: Client, stuck: AccessCode, device: Device) -> None:
        fault(device)
        with later(minutes=30):
            settle(device)
            sweep()
        assert own(stuck).status == Pin.Status.REMOVED and not told(stuck, T.CODE_REMOVAL_LATE)
        assert "code is off the lock" in words(signed_in, stuck)

    def test_one_on_a_lock_that_left_the_portal_is_not_told(self, stuck: AccessCode, device: Device) -> None:
        Device.objects.update(removal=Device.Removal.REMOVED)
        with later(minutes=5):
            sweep()
        assert not told(stuck, T.CODE_REMOVAL_LATE)


def test_the_whole_of_it_stands_on_one_page(signed_in: Client, alice: User, device: Device) -> None:
    fill_pool(device)
    code = guest(device, actor=alice)
    settle(device)
    reveal(code, actor=alice)
    pull_backup(code, actor=alice)
    change_pin(AccessCode.objects.get(pk=code.pk), pin=None, actor=alice)
    settle(device)
    signed_in.get(f"/g/{code.guest_token}/")
    cancel_code(code, actor=alice)
    settle(device)
    page = words(signed_in, code).split("History")[1]
    for part in (
        "Code added for Ben Okafor By Alice.",
        "is set on the lock",
        "PIN was shown By Alice.",
        "given to Ben Okafor By Alice.",
        "gets another PIN By Alice.",
        "opened the guest link",
        "cancelled By Alice.",
        "code is off the lock",
    ):
        assert part in page, part
    assert f'href="/activity/?code={code.pk}"' in signed_in.get(f"/codes/{code.pk}/").content.decode()


def test_when_the_pin_that_opens_was_last_read(signed_in: Client, device: Device) -> None:
    code = guest(device)
    assert "Last read on the lock" not in words(signed_in, code)
    settle(device)
    assert "ConfirmedLast read on the lock" in words(signed_in, code)
    assert timezone.now() - code.code_pins.get().pin.confirmed_at < timedelta(minutes=1)
