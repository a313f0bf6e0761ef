"""Changing a code: renamed, moved, extended, shortened; and two people at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connections
from django.utils import timezone

from codes.models import AccessCode
from codes.services import add_code, cancel_code, change_code
from devices.models import Device, Event, Pin
from tests import factories
from tests.engine import guest, own, settle


def test_a_new_name_changes_the_name_alone(device: Device, bob) -> None:
    code = guest(device)
    settle(device)
    before = (Pin.objects.values().get(pk=own(code).pk), Device.objects.get().version)
    change_code(code, name=" Benjamin ", starts_at=code.starts_at, ends_at=code.ends_at, actor=bob)
    code.refresh_from_db()
    assert code.name == "Benjamin"
    assert (Pin.objects.values().get(pk=own(code).pk), Device.objects.get().version) == before
    assert Event.objects.get(type=Event.Type.CODE_CHANGED).actor == bob


def test_a_move_is_wanted_of_the_lock_at_once(device: Device) -> None:
    code = guest(device)
    settle(device)
    start = code.starts_at + timedelta(hours=5)
    change_code(code, name=code.name, starts_at=start, ends_at=start + timedelta(days=4))
    pin = own(code)
    assert (pin.wanted_from, pin.wanted_until) == (start, start + timedelta(days=4))
    device.refresh_from_db()
    assert device.next_sync_at <= timezone.now()


def test_a_set_code_moved_within_its_window_needs_no_give_up(device: Device) -> None:
    code = guest(device)
    settle(device)
    change_code(code, name=code.name, starts_at=code.starts_at, ends_at=code.ends_at - timedelta(hours=1))
    assert own(code).confirmed and own(code).give_up_at is None


@pytest.mark.parametrize(("start", "end"), [(1, -1), (-9, -8), (None, 1), (1, None), (2, 2)])
def test_bad_times_are_refused_and_change_nothing(device: Device, start: float | None, end: float | None) -> None:
    code = guest(device)
    before = AccessCode.objects.values().get(pk=code.pk)
    at = timezone.now()
    with pytest.raises(ValidationError):
        change_code(
            code,
            name="Other",
            starts_at=None if start is None else at + timedelta(days=start),
            ends_at=None if end is None else at + timedelta(days=end),
        )
    assert AccessCode.objects.values().get(pk=code.pk) == before


def test_a_cancelled_code_is_not_changed(device: Device) -> None:
    code = guest(device)
    cancel_code(code)
    with pytest.raises(ValidationError, match="cancelled"):
        change_code(code, name="x", starts_at=code.starts_at, ends_at=code.ends_at)


def test_an_ongoing_code_is_renamed_but_gets_no_end(device: Device) -> None:
    code = add_code(device=device, name="Owner", kind="ongoing")
    change_code(code, name="Owner and wife", starts_at=None, ends_at=None)
    with pytest.raises(ValidationError, match="no check-in"):
        change_code(code, name="Owner", starts_at=timezone.now(), ends_at=timezone.now() + timedelta(days=1))


def test_a_page_opened_long_ago_changes_the_code_as_it_is_now(device: Device) -> None:
    code = guest(device)
    stale = AccessCode.objects.get(pk=code.pk)
    start = code.starts_at + timedelta(days=60)
    change_code(code, name=code.name, starts_at=start, ends_at=start + timedelta(days=1))
    change_code(stale, name="Renamed", starts_at=start, ends_at=start + timedelta(days=1))
    code.refresh_from_db()
    assert (code.name, code.starts_at) == ("Renamed", start)
    assert own(code).wanted_from == start


@pytest.mark.django_db(transaction=True)
def test_a_change_and_a_cancel_at_once_end_cancelled_or_changed_then_cancelled() -> None:
    code = guest(factories.DeviceFactory())

    def work(number: int) -> None:
        mine = AccessCode.objects.get(pk=code.pk)
        try:
            if number:
                cancel_code(mine)
            else:
                change_code(mine, name="x", starts_at=mine.starts_at, ends_at=mine.ends_at + timedelta(days=1))
        except ValidationError:
            pass
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))
    code.refresh_from_db()
    assert code.cancelled_at is not None and code.ended_at is not None
    assert own(code).wanted == Pin.Wanted.ABSENT
