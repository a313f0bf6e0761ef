"""Editing a code: times in the property's zone, what carries over, what an offline lock cannot know yet."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from codes.models import AccessCode
from codes.services import add_code, cancel_code, pull_backup
from devices.models import Device, Event, Property
from portal.models import User
from tests import factories
from tests.engine import backup, fault, fill_pool, guest, later, opens, settle

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.fixture(autouse=True)
def stopped_clock() -> object:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def code(device: Device) -> AccessCode:
    """15:00 today to 11:00 on Wednesday, Lisbon time; on the lock."""
    fill_pool(device)
    code = guest(device, starts=timedelta(hours=6), ends_at=NOW + timedelta(days=2, hours=2))
    settle(device)
    return code


def url(code: AccessCode) -> str:
    return reverse("code_edit", args=[code.pk])


def typed(**changes: str) -> dict[str, str]:
    return {"name": "Ben Okafor", "starts_at": "2026-11-23T15:00", "ends_at": "2026-11-25T11:00", **changes}


def words(client: Client, where: str) -> str:
    return " ".join(strip_tags(client.get(where).content.decode()).split())


def saved(client: Client, code: AccessCode, **changes: str) -> str:
    """What the code's page says after saving."""
    answer = client.post(url(code), typed(**changes))
    assert answer["Location"] == reverse("code", args=[code.pk])
    return words(client, answer["Location"])


def test_it_shows_name_and_stay_as_the_propertys_clock_does(signed_in: Client, code: AccessCode) -> None:
    Property.objects.update(time_zone="America/New_York")
    page = signed_in.get(url(code)).content.decode()
    assert 'value="Ben Okafor"' in page
    assert 'value="2026-11-23T10:00"' in page and 'value="2026-11-25T06:00"' in page
    assert "New York time" in page


def test_it_changes_name_and_stay(signed_in: Client, code: AccessCode, alice: User) -> None:
    assert "Ben O’s code is changed." in saved(signed_in, code, name="Ben O", ends_at="2026-11-26T10:30")
    code.refresh_from_db()
    assert (code.name, code.ends_at) == ("Ben O", datetime(2026, 11, 26, 10, 30, tzinfo=UTC))
    assert Event.objects.get(type=Event.Type.CODE_CHANGED).actor == alice


def test_a_time_left_as_it_was_stays_the_same_instant(signed_in: Client, code: AccessCode) -> None:
    start = NOW + timedelta(hours=6, seconds=42)
    AccessCode.objects.filter(pk=code.pk).update(starts_at=start)
    saved(signed_in, code, name="Ben")
    code.refresh_from_db()
    assert code.starts_at == start


def test_an_ongoing_code_has_a_name_only(signed_in: Client, device: Device) -> None:
    code = add_code(device=device, name="Housekeeping", kind=AccessCode.Kind.ONGOING)
    assert "datetime-local" not in signed_in.get(url(code)).content.decode()
    saved(signed_in, code, name="Cleaners")
    code.refresh_from_db()
    assert (code.name, code.starts_at) == ("Cleaners", None)


def test_bad_input_is_said_and_nothing_typed_is_lost(signed_in: Client, code: AccessCode) -> None:
    for wrong, complaint in (("2026-11-22T10:00", "later than check-in"), ("soon", "Write a date and a time")):
        page = signed_in.post(url(code), typed(name="Benjamin", ends_at=wrong)).content.decode()
        assert complaint in page and 'value="Benjamin"' in page and f'value="{wrong}"' in page
    code.refresh_from_db()
    assert code.name == "Ben Okafor"


def test_a_covered_stay_says_beforehand_that_the_backup_follows(signed_in: Client, code: AccessCode) -> None:
    spare = pull_backup(code)
    settle(code.device)
    told = words(signed_in, url(code))
    assert f"Ben Okafor uses {spare}. It follows: the same PIN opens the door for the new dates." in told
    assert "A stay moved more than 72 h ahead gets another PIN" in told


def test_extended_while_covered_both_ends_move(signed_in: Client, code: AccessCode, device: Device) -> None:
    pull_backup(code)
    settle(device)
    said = saved(signed_in, code, ends_at="2026-11-27T11:00")
    assert "offline" not in said
    pin = backup(code)
    assert pin is not None and pin.wanted_until == datetime(2026, 11, 27, 11, tzinfo=UTC)
    settle(device)
    assert opens(device, code)


def test_an_offline_lock_learns_it_later_and_the_backup_opens_all_the_same(
    signed_in: Client, code: AccessCode, device: Device
) -> None:
    spare = pull_backup(code)
    settle(device)
    fault(device, "unreachable")
    Device.objects.filter(pk=device.pk).update(online=Device.Online.NO, online_since=NOW)
    assert "The lock is offline: it learns of the change when it is back." in words(signed_in, url(code))
    said = saved(signed_in, code, ends_at="2026-11-27T11:00")
    assert "The lock is offline: it learns of this when it is back." in said
    assert f"{spare} opens the door for the new dates all the same." in said


def test_an_offline_lock_with_the_own_pin_names_the_moment_of_the_backup(
    signed_in: Client, code: AccessCode, device: Device
) -> None:
    Device.objects.filter(pk=device.pk).update(online=Device.Online.NO, online_since=NOW)
    said = saved(signed_in, code, ends_at="2026-11-27T11:00")
    assert "The PIN works until 25 Nov 11:00. If that is not before" in said
    assert "a backup is pulled." in said


def test_shortened_offline_it_warns_that_the_pin_may_open_longer(
    signed_in: Client, code: AccessCode, device: Device
) -> None:
    Device.objects.filter(pk=device.pk).update(online=Device.Online.NO, online_since=NOW)
    assert "may open the door for longer than the new checkout" in saved(signed_in, code, ends_at="2026-11-24T11:00")


def test_a_new_name_alone_says_nothing_about_the_lock(signed_in: Client, code: AccessCode, device: Device) -> None:
    Device.objects.filter(pk=device.pk).update(online=Device.Online.NO, online_since=NOW)
    assert "it learns of this" not in saved(signed_in, code, name="Ben O")


def test_a_stay_that_is_over_can_be_extended(signed_in: Client, code: AccessCode, device: Device) -> None:
    with later(days=3):
        settle(device)
        code.refresh_from_db()
        assert code.ended_at is not None
        assert "With a later checkout it gets a new PIN." in words(signed_in, url(code))
        saved(signed_in, code, ends_at="2026-11-28T11:00")
        settle(device)
        assert opens(device, code)


def test_a_cancelled_one_cannot(signed_in: Client, code: AccessCode) -> None:
    cancel_code(code)
    answer = signed_in.post(url(code), typed(name="Somebody else"))
    assert "This code was cancelled. Add a new one." in answer.content.decode()
    code.refresh_from_db()
    assert code.name == "Ben Okafor"


@pytest.mark.parametrize("name", ["code_edit", "code_pin", "code_retry", "code_link"])
def test_only_those_who_may_change(client: Client, code: AccessCode, vera: User, charlie: User, name: str) -> None:
    address = reverse(name, args=[code.pk])
    assert client.post(address)["Location"].startswith("/accounts/login/")
    client.force_login(vera)
    assert client.post(address).status_code == 403
    client.force_login(charlie)
    assert client.post(address).status_code == 404


@pytest.mark.parametrize("name", ["code_retry", "code_link"])
def test_it_rejects_get_where_nothing_is_asked(signed_in: Client, code: AccessCode, name: str) -> None:
    assert signed_in.get(reverse(name, args=[code.pk])).status_code == 405


def test_it_rejects_put(signed_in: Client, code: AccessCode) -> None:
    assert signed_in.put(url(code)).status_code == 405


class TestABookingWithSeveralDoors:
    @pytest.fixture
    def both(self, device: Device, code: AccessCode) -> tuple[AccessCode, AccessCode]:
        """The same stay on a second lock, under one reference."""
        AccessCode.objects.filter(pk=code.pk).update(booking_reference="HM77")
        back = factories.DeviceFactory(property=device.property, hub=device.hub, name="Back door")
        other = guest(back, starts=timedelta(hours=6), ends_at=code.ends_at, booking_reference="hm77")
        settle(back)
        code.refresh_from_db()
        return code, other

    def test_the_other_door_is_offered_and_ticked(self, signed_in: Client, both: tuple[AccessCode, AccessCode]) -> None:
        page = signed_in.get(url(both[0])).content.decode()
        assert "Doors of the same booking." in page and "Back door" in page
        assert f'value="{both[1].pk}"' in page and "checked" in page.split(f'value="{both[1].pk}"')[1][:80]

    def test_both_are_extended_with_one_press(self, signed_in: Client, both: tuple[AccessCode, AccessCode]) -> None:
        page = saved(signed_in, both[0], ends_at="2026-11-27T11:00", name="Ben O.", also=str(both[1].pk))
        assert "Ben O.’s codes are changed on 2 locks." in page
        for one in both:
            one.refresh_from_db()
            assert (one.name, one.ends_at) == ("Ben O.", NOW + timedelta(days=4, hours=2))

    def test_one_alone_where_the_tick_is_taken_away(
        self, signed_in: Client, both: tuple[AccessCode, AccessCode]
    ) -> None:
        before = both[1].ends_at
        saved(signed_in, both[0], ends_at="2026-11-27T11:00")
        both[1].refresh_from_db()
        assert both[1].ends_at == before

    def test_a_reference_moves_to_another_with_all_ticked_doors(
        self, signed_in: Client, both: tuple[AccessCode, AccessCode]
    ) -> None:
        assert "Links already sent stay valid." in words(signed_in, url(both[0]))
        saved(signed_in, both[0], booking_reference=" HM78 ", also=str(both[1].pk))
        for one in both:
            one.refresh_from_db()
            assert one.booking_reference == "HM78"
        page = words(signed_in, reverse("code", args=[both[0].pk]))
        assert "Booking reference: HM78 instead of HM77." in page and "It shows the PINs of these doors" in page
        event = Event.objects.filter(type=Event.Type.CODE_CHANGED, subject=both[1].pk).latest("pk")
        assert event.data["was"][3] == "hm77"

    def test_a_door_whose_reference_changes_alone_leaves_the_link(
        self, client: Client, signed_in: Client, both: tuple[AccessCode, AccessCode]
    ) -> None:
        front = both[0]
        links = [reverse("guest_page", args=[one.guest_token]) for one in both]
        assert "Back door" in words(client, links[0])
        saved(signed_in, front, booking_reference="")
        assert "Back door" not in words(client, links[0]) and "Front door" in words(client, links[0])
        assert "Front door" not in words(client, links[1]) and "Back door" in words(client, links[1])
        saved(signed_in, front, booking_reference="HM77")
        assert "Back door" in words(client, links[0])

    def test_another_guests_reference_is_warned_of(
        self, signed_in: Client, both: tuple[AccessCode, AccessCode], device: Device
    ) -> None:
        ana = guest(device, "Ana Ruiz", starts=timedelta(hours=6), booking_reference="HM90")
        page = saved(signed_in, both[0], booking_reference="HM90")
        assert "HM90 is the reference of Ana Ruiz as well" in page
        assert "as well: each" not in saved(signed_in, both[0], booking_reference="HM90", name="Ben")
        assert ana.booking_reference == "HM90"

    def test_a_page_from_before_takes_no_reference_away(
        self, signed_in: Client, both: tuple[AccessCode, AccessCode]
    ) -> None:
        saved(signed_in, both[0], name="Ben")
        both[0].refresh_from_db()
        assert both[0].booking_reference == "HM77"

    def test_too_long_a_reference_is_refused_and_nothing_is_lost(
        self, signed_in: Client, both: tuple[AccessCode, AccessCode]
    ) -> None:
        page = signed_in.post(url(both[0]), typed(booking_reference="R" * 61, name="Ben")).content.decode()
        assert "at most 60 characters" in page and 'value="Ben"' in page and "R" * 61 in page

    def test_an_offline_door_is_named(self, signed_in: Client, both: tuple[AccessCode, AccessCode]) -> None:
        Device.objects.filter(pk=both[1].device_id).update(online=Device.Online.NO, online_since=NOW)
        page = saved(signed_in, both[0], ends_at="2026-11-27T11:00", also=str(both[1].pk))
        assert "Back door: The lock is offline: it learns of this when it is back." in page

    def test_all_or_none_and_the_lock_that_refuses_is_named(
        self, signed_in: Client, both: tuple[AccessCode, AccessCode]
    ) -> None:
        Device.objects.filter(pk=both[1].device_id).update(removal=Device.Removal.REMOVING)
        before = both[0].ends_at
        answer = signed_in.post(url(both[0]), typed(ends_at="2026-11-27T11:00", also=str(both[1].pk)))
        assert "Back door: This lock is being removed." in answer.content.decode()
        both[0].refresh_from_db()
        assert both[0].ends_at == before

    def test_another_bookings_code_is_no_choice(
        self, signed_in: Client, both: tuple[AccessCode, AccessCode], device: Device
    ) -> None:
        other = guest(device, "Ana Ruiz", starts=timedelta(days=9))
        answer = signed_in.post(url(both[0]), typed(also=str(other.pk)))
        assert answer.status_code == 200 and "Select a valid choice" in answer.content.decode()

    def test_cancelling_offers_it_unticked_and_takes_both(
        self, signed_in: Client, both: tuple[AccessCode, AccessCode]
    ) -> None:
        where = reverse("code_cancel", args=[both[0].pk])
        page = signed_in.get(where).content.decode()
        assert "Cancel as well, on" in page and "Back door" in page and "checked" not in page
        answer = signed_in.post(where, {"also": str(both[1].pk)}, follow=True)
        assert "cancelled on 2 locks" in answer.content.decode()
        assert not AccessCode.objects.live().filter(pk__in=[one.pk for one in both]).exists()
