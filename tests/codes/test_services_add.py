"""Adding a code: one transaction, a readable refusal, and a lock that is woken."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connections, transaction
from django.utils import timezone
from django_q.models import OrmQ

from codes.models import AccessCode, CodePin
from codes.services import add_code, cancel_code, suggest_pin
from devices.models import Device, Event, Pin
from devices.pin_rules import weak
from devices.services import remove_lock
from portal.secret import Secret
from tests import factories
from tests.engine import own, settle


def stay(**changes) -> dict:
    at = timezone.now()
    return {"name": "Ben Okafor", "kind": "time_bound", "starts_at": at, "ends_at": at + timedelta(days=1)} | changes


def tasks(name: str) -> int:
    return sum(waiting.task["func"] == name for waiting in OrmQ.objects.all())


def test_a_stay_gets_a_pin_an_event_and_a_turn(device: Device, alice) -> None:
    code = add_code(device=device, booking_reference=" HM-1 ", actor=alice, **stay(name="  Ben Okafor "))
    assert (code.name, code.booking_reference, code.pin_chosen) == ("Ben Okafor", "HM-1", False)
    pin = CodePin.objects.get(code=code).pin
    assert (pin.wanted_from, pin.wanted_until) == (code.starts_at, code.ends_at)
    assert pin.label.startswith("Ben Okafor ")
    assert Event.objects.get(type=Event.Type.CODE_CREATED).actor == alice
    device.refresh_from_db()
    assert device.next_sync_at <= timezone.now() and device.queued_until is not None
    assert tasks("codes.tasks.sync_lock") == 1


def test_an_ongoing_code_has_neither_end(device: Device) -> None:
    code = add_code(device=device, name="Housekeeping", kind="ongoing")
    pin = own(code)
    assert (pin.wanted_from, pin.wanted_until, pin.program_at, pin.give_up_at) == (None, None, None, None)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ends_at": timezone.now() - timedelta(days=1)}, "later than check-in"),
        ({"starts_at": timezone.now() - timedelta(days=3), "ends_at": timezone.now() - timedelta(days=1)}, "past"),
        ({"ends_at": None}, "needs a check-in and a checkout"),
        ({"starts_at": None}, "needs a check-in and a checkout"),
        ({"kind": "ongoing"}, "no check-in and no checkout"),
        ({"kind": "forever"}, "no check-in and no checkout"),
        ({"name": "  "}, "blank"),
        ({"name": "x" * 61}, "at most 60"),
        ({"pin": Secret("12")}, "4 to 6 digits"),
        ({"pin": Secret("48a7")}, "digits 0 to 9"),
        ({"pin": Secret("1234")}, "guess"),
    ],
)
def test_bad_input_is_refused_readably_and_adds_nothing(device: Device, changes: dict, message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        add_code(device=device, **stay(**changes))
    assert message in str(refused.value)
    assert not AccessCode.objects.exists() and not Pin.objects.exists() and not Event.objects.exists()
    assert not OrmQ.objects.exists()


def test_digits_that_meet_another_stays_are_refused(device: Device) -> None:
    add_code(device=device, **stay(pin=Secret("4837")))
    with pytest.raises(ValidationError, match="taken"):
        add_code(device=device, **stay(pin=Secret("4837")))


def test_the_same_digits_for_another_week_are_fine(device: Device) -> None:
    add_code(device=device, **stay(pin=Secret("4837")))
    week = timedelta(days=7)
    at = timezone.now() + week
    add_code(device=device, **stay(pin=Secret("4837"), starts_at=at, ends_at=at + week))


def test_digits_of_a_code_just_cancelled_are_taken_until_they_left_the_lock(device: Device) -> None:
    first = add_code(device=device, **stay(pin=Secret("4837")))
    settle(device)
    cancel_code(first)
    with pytest.raises(ValidationError, match="taken"):
        add_code(device=device, **stay(pin=Secret("4837")))
    settle(device)
    add_code(device=device, **stay(pin=Secret("4837")))


def test_a_lock_being_removed_takes_none(device: Device) -> None:
    remove_lock(device)
    with pytest.raises(ValidationError, match="being removed"):
        add_code(device=device, **stay())


def test_a_transaction_that_fails_leaves_nothing_behind(device: Device) -> None:
    with transaction.atomic():
        add_code(device=device, **stay())
        transaction.set_rollback(True)  # as an error later in the same request does
    assert not AccessCode.objects.exists() and not OrmQ.objects.exists()


def test_suggested_digits_are_free_and_hard_to_guess(device: Device) -> None:
    taken = {add_code(device=device, **stay(pin=Secret(d))).pk: d for d in ("4837", "5208")}
    for _ in range(50):
        suggested = suggest_pin(device).reveal()
        assert suggested not in taken.values() and not weak(suggested)


@pytest.mark.django_db(transaction=True)
def test_two_people_who_choose_the_same_digits_at_once() -> None:
    device = factories.DeviceFactory()

    def add(_: int) -> bool:
        try:
            add_code(device=device, **stay(pin=Secret("4837")))
        except ValidationError:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(add, range(4))) == 1
