"""Adding a code from a lock's page: times in the property's zone, clear errors, nothing typed is lost."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from codes.models import AccessCode
from devices.models import Device, Pin, Property
from portal.models import User


@pytest.fixture(autouse=True)
def stopped_clock() -> object:
    with time_machine.travel(datetime(2026, 11, 23, 9, tzinfo=UTC), tick=False):
        yield


def url(device: Device) -> str:
    return reverse("code_add", args=[device.pk])


def typed(**changes: str) -> dict[str, str]:
    return {
        "kind": "time_bound",
        "name": "Ben Okafor",
        "booking_reference": "RES-20431",
        "starts_at": "2026-11-24T15:00",
        "ends_at": "2026-11-28T10:00",
        "pin": "",
        "once": "a-token",
        **changes,
    }


def test_it_suggests_check_in_today_and_checkout_tomorrow(signed_in: Client, device: Device) -> None:
    page = signed_in.get(url(device)).content.decode()
    assert 'value="2026-11-23T15:00"' in page and 'value="2026-11-24T11:00"' in page
    assert "Lisbon time" in page and "4 to 6 digits." in page


def test_it_adds_a_guests_code_and_goes_back_to_the_lock(signed_in: Client, device: Device) -> None:
    answer = signed_in.post(url(device), typed())
    assert answer["Location"] == reverse("device", args=[device.pk])
    code = AccessCode.objects.get()
    assert (code.name, code.booking_reference, code.kind) == ("Ben Okafor", "RES-20431", "time_bound")


def test_times_are_the_propertys_wall_clock(signed_in: Client, device: Device) -> None:
    Property.objects.update(time_zone="America/New_York")
    signed_in.post(url(device), typed())
    code = AccessCode.objects.get()
    assert code.starts_at == datetime(2026, 11, 24, 20, tzinfo=UTC)
    assert code.ends_at == datetime(2026, 11, 28, 15, tzinfo=UTC)


def test_an_ongoing_code_has_no_times_whatever_was_typed(signed_in: Client, device: Device) -> None:
    signed_in.post(url(device), typed(kind="ongoing", name="Housekeeping"))
    code = AccessCode.objects.get()
    assert (code.starts_at, code.ends_at) == (None, None)


def test_the_form_says_that_backups_do_not_cover_ongoing_codes(signed_in: Client, device: Device) -> None:
    assert "Backup codes do not cover ongoing codes." in signed_in.get(url(device)).content.decode()


def test_a_chosen_pin_is_taken(signed_in: Client, device: Device) -> None:
    signed_in.post(url(device), typed(pin="5 839"))
    assert Pin.objects.get(code_pin__role="own").secret.reveal() == "5839"
    assert AccessCode.objects.get().pin_chosen


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": ""}, "This field is required."),
        ({"starts_at": ""}, "A guest’s code needs a check-in."),
        ({"starts_at": "tomorrow"}, "Write a date and a time like 2026-11-23 15:00."),
        ({"ends_at": "2026-11-24T15:00"}, "Checkout must be later than check-in."),
        ({"starts_at": "2026-11-01T15:00", "ends_at": "2026-11-02T10:00"}, "Checkout is in the past."),
        ({"pin": "12ab"}, "A PIN has digits only."),
        ({"pin": "583"}, "id_pin_error"),
        ({"pin": "583941207"}, "id_pin_error"),
    ],
)
def test_what_is_wrong_is_said_beside_it_and_the_rest_stays(
    signed_in: Client, device: Device, changes: dict[str, str], words: str
) -> None:
    page = signed_in.post(url(device), typed(**changes)).content.decode()
    assert words in page
    assert 'aria-invalid="true"' in page
    assert 'value="RES-20431"' in page
    assert not AccessCode.objects.exists()


def test_sent_twice_it_adds_one_code(signed_in: Client, device: Device) -> None:
    for _ in range(2):
        assert signed_in.post(url(device), typed()).status_code == 302
    assert AccessCode.objects.count() == 1


def test_after_a_refusal_the_same_form_works(signed_in: Client, device: Device) -> None:
    signed_in.post(url(device), typed(pin="583"))
    signed_in.post(url(device), typed())
    assert AccessCode.objects.count() == 1


def test_a_suggested_pin_keeps_what_was_typed(signed_in: Client, device: Device) -> None:
    page = signed_in.post(url(device), typed(suggest="1", name="Ana Ruiz", kind="ongoing"))
    html = page.content.decode()
    assert 'value="Ana Ruiz"' in html and 'value="2026-11-24T15:00"' in html
    assert len(page.context["form"]["pin"].value()) == 4
    assert page["Cache-Control"] == "max-age=0, no-cache, no-store, must-revalidate, private"
    assert not AccessCode.objects.exists()


def test_a_lock_that_is_being_removed_takes_none(signed_in: Client, device: Device) -> None:
    Device.objects.filter(pk=device.pk).update(removal=Device.Removal.REMOVING)
    assert "It takes no new codes." in signed_in.post(url(device), typed()).content.decode()


def test_viewers_may_not(client: Client, vera: User, device: Device) -> None:
    client.force_login(vera)
    assert client.post(url(device), typed()).status_code == 403


def test_strangers_find_nothing(client: Client, charlie: User, device: Device) -> None:
    client.force_login(charlie)
    assert client.post(url(device), typed()).status_code == 404
    assert not AccessCode.objects.exists()


def test_signed_out_is_sent_to_sign_in(client: Client, device: Device) -> None:
    assert client.get(url(device))["Location"].startswith("/accounts/login/")
