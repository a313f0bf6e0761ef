"""The guest's link: the PIN that opens the door, and nothing that tells a backup from any other."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from backups.models import BackupCode
from codes.booking import add_codes, renew_link
from codes.models import AccessCode, CodePin
from codes.services import add_code, cancel_code, change_code, pull_backup, reveal
from devices.models import Device, Event
from portal.models import User
from tests import factories
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
            return re.sub(r'guest-pin">\d+|value="\w+"', "", html)

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


def test_an_extended_guest_still_sees_the_pin_that_works(client: Client, code: AccessCode, device: Device) -> None:
    """The lock is offline and does not know of the extension: until the old checkout nothing changes at the door."""
    with later(hours=4):
        before = shown(page(client, code))
        fault(device, "unreachable")
        change_code(code, name=code.name, starts_at=code.starts_at, ends_at=code.ends_at + timedelta(days=1))
        settle(device)
        assert before in truth(device).values()
        assert shown(page(client, code)) == before
    with later(days=2, hours=4):
        settle(device)
        after = shown(page(client, code))
        assert after != before and after in truth(device).values()


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


def test_a_revoked_link_leads_nowhere_and_the_new_one_works(client: Client, code: AccessCode) -> None:
    old = code.guest_token
    renew_link(code)
    assert client.get(f"/g/{old}/").status_code == 404
    assert shown(page(client, code))


def test_a_page_that_refreshes_itself_writes_nothing_more(client: Client, code: AccessCode) -> None:
    page(client, code)
    before = Event.objects.count()
    client.get(f"/g/{code.guest_token}/", headers={"HX-Request": "true"})
    assert Event.objects.count() == before


def test_a_look_before_the_reveal_time_is_written_down_too(client: Client, device: Device) -> None:
    code = guest(device, starts=timedelta(days=3))
    page(client, code)
    page(client, code)
    assert Event.objects.filter(type=Event.Type.CODE_OPENED_BY_GUEST, subject=code.pk).count() == 1


def test_a_pin_the_manager_saw_first_is_still_opened_by_the_guest(
    client: Client, code: AccessCode, alice: User
) -> None:
    reveal(code, actor=alice)
    page(client, code)
    assert Event.objects.filter(type=Event.Type.CODE_OPENED_BY_GUEST, subject=code.pk).count() == 1


class TestSeveralDoors:
    """Codes of one booking reference share what their links show."""

    @pytest.fixture
    def doors(self, device: Device) -> list[AccessCode]:
        """Front door and garden gate, one guest, both on their locks."""
        gate = factories.DeviceFactory(property=device.property, hub=device.hub, name="Garden gate")
        at = timezone.now()
        codes = add_codes(
            devices=[device, gate],
            name="Ben Okafor",
            kind=AccessCode.Kind.TIME_BOUND,
            booking_reference="RES-1",
            starts_at=at + timedelta(hours=1),
            ends_at=at + timedelta(days=2),
        )
        for lock in (device, gate):
            settle(lock)
        return codes

    def test_each_link_says_which_pin_opens_which_door(self, client: Client, doors: list[AccessCode]) -> None:
        pages = [page(client, code) for code in doors]
        for html in pages:
            found = re.findall(r"<h2>([\w ]+)</h2>\s*<p>Your PIN</p>\s*<p class=\"guest-pin\">(\d+)<", html)
            assert [name for name, _ in found] == ["Front door", "Garden gate"]
            assert [digits in truth(code.device).values() for (_, digits), code in zip(found, doors, strict=True)]

    def test_a_cancelled_one_is_left_out(self, client: Client, doors: list[AccessCode]) -> None:
        cancel_code(doors[1])
        for code in doors:
            html = page(client, code)
            assert "Garden gate" not in html and "Front door" in html

    def test_one_new_link_replaces_them_all(self, client: Client, doors: list[AccessCode]) -> None:
        old = [code.guest_token for code in doors]
        renew_link(doors[0])
        assert [client.get(f"/g/{token}/").status_code for token in old] == [404, 404]

    def test_others_of_the_reference_are_not_shown(
        self, client: Client, doors: list[AccessCode], charlie: User, device: Device
    ) -> None:
        later_stay = {"starts": timedelta(days=300), "booking_reference": "RES-1"}
        place = factories.PropertyFactory(workspace=device.property.workspace, name="Harbour House")
        elsewhere = factories.DeviceFactory(property=place, hub=device.hub, name="Harbour door")
        strange = factories.DeviceFactory(property__workspace=charlie.memberships.get().workspace, name="Strange door")
        guest(device, "Next year", **later_stay)
        guest(elsewhere, "Other house", booking_reference="RES-1")
        guest(strange, "Other workspace", booking_reference="RES-1")
        html = page(client, doors[0])
        assert html.count("<h2>") == 3  # two doors and the stay
        assert "Harbour" not in html and "Strange" not in html

    def test_without_a_reference_everybody_has_a_link_alone(self, client: Client, device: Device) -> None:
        one, _two = guest(device, "Ben"), guest(device, "Ana")
        assert page(client, one).count("<h2>") == 2


class TestMyCodeIsNotWorking:
    """The guest says so, within the stay: another PIN at once, and the manager is told."""

    @pytest.fixture
    def inside(self, code: AccessCode) -> Iterator[AccessCode]:
        with later(hours=4):
            yield code

    def press(self, client: Client, code: AccessCode) -> None:
        answer = client.post(f"/g/{code.guest_token}/not-working/", {"door": str(code.pk)})
        assert answer["Location"] == f"/g/{code.guest_token}/"
        assert "no-store" in answer["Cache-Control"] and answer["Referrer-Policy"] == "no-referrer"

    def test_the_page_shows_another_pin_that_opens(self, client: Client, inside: AccessCode, device: Device) -> None:
        before = shown(page(client, inside))
        self.press(client, inside)
        after = page(client, inside)
        assert shown(after) != before
        assert shown(after) in truth(device).values()
        assert "You told us at" in after and "ackup" not in after
        assert "My code is not working" not in after

    def test_the_manager_is_told(self, client: Client, inside: AccessCode, signed_in: Client, device: Device) -> None:
        self.press(client, inside)
        html = signed_in.get(f"/codes/{inside.pk}/").content.decode()
        assert "that the PIN does not work" in html and "Another PIN was given at once" in html
        assert Event.objects.filter(type=Event.Type.CODE_NOT_WORKING, subject=inside.pk).count() == 1

    def test_pressed_again_it_is_heard_once_and_pulls_no_second(
        self, client: Client, inside: AccessCode, device: Device
    ) -> None:
        self.press(client, inside)
        self.press(client, inside)
        assert Event.objects.filter(type=Event.Type.CODE_NOT_WORKING).count() == 1
        cache.clear()
        self.press(client, inside)
        assert CodePin.objects.filter(code=inside, role=CodePin.Role.BACKUP).count() == 1

    def test_a_covered_guest_sees_the_same_page_before_and_after(self, client: Client, inside: AccessCode) -> None:
        pull_backup(inside)
        assert "My code is not working" in page(client, inside)
        self.press(client, inside)
        assert "If it does not open the door, call us." in page(client, inside)

    def test_before_check_in_it_does_nothing(self, client: Client, code: AccessCode) -> None:
        assert "My code is not working" not in page(client, code)
        self.press(client, code)
        assert not Event.objects.filter(type=Event.Type.CODE_NOT_WORKING).exists()

    def test_after_checkout_it_does_nothing(self, client: Client, code: AccessCode) -> None:
        with later(days=3):
            self.press(client, code)
            assert not Event.objects.filter(type=Event.Type.CODE_NOT_WORKING).exists()

    def test_another_door_of_somebody_else_is_not_heard(
        self, client: Client, inside: AccessCode, device: Device
    ) -> None:
        other = guest(device, "Ana Ruiz", starts=timedelta(hours=-1))
        client.post(f"/g/{inside.guest_token}/not-working/", {"door": str(other.pk)})
        assert not Event.objects.filter(type=Event.Type.CODE_NOT_WORKING).exists()

    def test_with_no_spare_the_guest_is_told_to_call(self, client: Client, device: Device) -> None:
        device.property.guest_phone = "+351 21 000 0000"
        device.property.save()
        code = guest(device, starts=timedelta(hours=-1))
        settle(device)
        Device.objects.filter(pk=device.pk).update(capabilities={**device.capabilities, "backup_pool": False})
        BackupCode.objects.update(retired_at=timezone.now())
        self.press(client, code)
        assert "Call us: +351 21 000 0000" in page(client, code)

    def test_it_is_a_post_to_a_link_that_exists(self, client: Client, code: AccessCode) -> None:
        assert client.get(f"/g/{code.guest_token}/not-working/").status_code == 405
        assert client.post("/g/guess/not-working/").status_code == 404
