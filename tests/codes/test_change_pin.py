"""Other digits for a code: nobody stands at a door with a PIN that was withdrawn before its replacement worked."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from codes.change_pin import change_pin, try_again
from codes.cover import current
from codes.models import AccessCode, CodePin
from codes.services import add_code, cancel_code, change_code, pull_backup
from devices.models import Device, Event, Pin
from portal.models import User
from portal.secret import Secret
from tests.engine import backup, fault, fill_pool, guest, later, opens, own, settle, shown, truth
from tests.factories import TINY

Role = CodePin.Role


def pending(code: AccessCode) -> CodePin | None:
    return current(AccessCode.objects.get(pk=code.pk), Role.NEXT)


def digits(pin: Pin | None) -> str:
    assert pin is not None
    return pin.secret.reveal()


@pytest.fixture
def staying(device: Device) -> AccessCode:
    """A guest who is inside, whose PIN works."""
    fill_pool(device)
    code = guest(device, starts=timedelta(hours=-1))
    settle(device)
    return code


def test_a_stay_to_come_gets_its_new_pin_and_the_old_one_leaves(device: Device) -> None:
    code = guest(device, starts=timedelta(hours=5))
    settle(device)
    old = digits(own(code))
    change_pin(code, pin=Secret("4831"))
    settle(device)
    assert digits(shown(code)) == "4831"
    assert opens(device, code)
    assert old not in truth(device).values()


def test_while_a_stay_runs_the_old_pin_opens_until_the_new_one_is_confirmed(
    device: Device, staying: AccessCode
) -> None:
    old = digits(own(staying))
    change_pin(staying, pin=None)
    assert digits(shown(staying)) == old
    assert opens(device, staying)
    settle(device)
    assert digits(shown(staying)) != old
    assert opens(device, staying)
    assert old not in truth(device).values()


def test_an_offline_lock_keeps_the_old_pin_and_pulls_no_backup(device: Device, staying: AccessCode) -> None:
    old = digits(own(staying))
    fault(device, "unreachable")
    change_pin(staying, pin=None)
    settle(device)
    with later(hours=3):
        settle(device)
        assert digits(shown(staying)) == old
        assert backup(staying) is None
    fault(device)
    with later(hours=4):
        settle(device)
        assert digits(shown(staying)) != old
        assert opens(device, staying)
        assert old not in truth(device).values()


def test_a_lock_that_refuses_leaves_the_old_pin_and_says_so(device: Device, staying: AccessCode) -> None:
    old = digits(own(staying))
    fault(device, "reject_set")
    change_pin(staying, pin=None)
    settle(device)
    assert digits(shown(staying)) == old
    assert opens(device, staying)
    assert pending(staying) is None
    assert Event.objects.get(type=Event.Type.CODE_FAILED, subject=staying.pk).data["tries"] == 3


def test_chosen_digits_that_are_refused_are_not_exchanged(device: Device, staying: AccessCode) -> None:
    fault(device, "reject_set")
    change_pin(staying, pin=Secret("4831"))
    settle(device)
    assert Event.objects.get(type=Event.Type.CODE_FAILED, subject=staying.pk).data["tries"] == 1
    assert opens(device, staying)


def test_a_covered_guest_keeps_the_backup_until_the_new_pin_is_there(device: Device, staying: AccessCode) -> None:
    pull_backup(staying)
    settle(device)
    spare = digits(backup(staying))
    fault(device, "unreachable")
    change_pin(staying, pin=None)
    settle(device)
    assert digits(shown(staying)) == spare
    fault(device)
    with later(minutes=20):
        settle(device)
        assert backup(staying) is None
        assert digits(shown(staying)) != spare
        assert opens(device, staying)
        assert spare not in truth(device).values()


def test_a_backup_that_was_left_is_given_to_nobody_again(device: Device, staying: AccessCode) -> None:
    pull_backup(staying)
    settle(device)
    spent = backup(staying)
    change_pin(staying, pin=None)
    settle(device)
    assert spent is not None
    spent.backup_code.refresh_from_db()
    assert spent.backup_code.drawn_at is not None
    assert CodePin.objects.get(pin=spent).ended_at is not None


def test_an_ongoing_code_is_never_without_a_pin_either(device: Device) -> None:
    code = add_code(device=device, name="Housekeeping", kind=AccessCode.Kind.ONGOING)
    settle(device)
    old = digits(own(code))
    change_pin(code, pin=Secret("4831"))
    assert digits(shown(code)) == old
    settle(device)
    assert digits(shown(code)) == "4831"
    assert set(truth(device).values()) & {old, "4831"} == {"4831"}


def test_a_pin_that_never_reached_the_lock_is_replaced_at_once(device: Device) -> None:
    fill_pool(device)
    fault(device, "unreachable")
    code = guest(device, starts=timedelta(days=1))
    settle(device)
    change_pin(code, pin=Secret("4831"))
    assert digits(own(code)) == "4831"
    assert own(code).give_up_at is not None
    assert pending(code) is None


def test_changing_twice_keeps_the_last_wish_only(device: Device, staying: AccessCode) -> None:
    change_pin(staying, pin=Secret("4831"))
    change_pin(staying, pin=Secret("6042"))
    settle(device)
    assert digits(shown(staying)) == "6042"
    assert "4831" not in truth(device).values()


def test_the_replacement_follows_a_stay_that_is_extended_meanwhile(device: Device, staying: AccessCode) -> None:
    fault(device, "unreachable")
    change_pin(staying, pin=Secret("4831"))
    assert staying.starts_at and staying.ends_at
    ends_at = staying.ends_at + timedelta(days=1)
    change_code(staying, name=staying.name, starts_at=staying.starts_at, ends_at=ends_at)
    fault(device)
    settle(device)
    assert own(staying).wanted_until == ends_at
    assert digits(shown(staying)) == "4831"


def test_moving_the_stay_far_ahead_starts_afresh_without_it(device: Device) -> None:
    fill_pool(device)
    code = guest(device, starts=timedelta(hours=2))
    settle(device)
    pull_backup(code)
    change_pin(code, pin=Secret("4831"))
    start = code.starts_at + timedelta(days=30)
    change_code(code, name=code.name, starts_at=start, ends_at=start + timedelta(days=2))
    assert pending(code) is None
    settle(device)
    assert "4831" not in truth(device).values()


def test_cancelling_takes_both_off(device: Device, staying: AccessCode) -> None:
    old = digits(own(staying))
    change_pin(staying, pin=Secret("4831"))
    cancel_code(staying)
    settle(device)
    assert not {old, "4831"} & set(truth(device).values())


def test_on_a_full_lock_spares_make_way_for_the_new_pin(device: Device) -> None:
    Device.objects.filter(pk=device.pk).update(capabilities=TINY.to_json())
    device.refresh_from_db()
    fill_pool(device)
    code = guest(device, starts=timedelta(hours=-1))
    settle(device)
    change_pin(code, pin=Secret("4831"))
    for minutes in (2, 6, 15):
        with later(minutes=minutes):
            settle(device)
    assert digits(shown(code)) == "4831"


def test_digits_that_break_a_rule_or_are_taken_change_nothing(device: Device, staying: AccessCode) -> None:
    before = digits(own(staying))
    other = guest(device, "Ana Ruiz")
    for wrong in ("12", digits(own(other)), before):
        with pytest.raises(ValidationError) as refused:
            change_pin(staying, pin=Secret(wrong))
        assert "pin" in refused.value.error_dict
        assert wrong not in str(refused.value)
    assert pending(staying) is None


def test_a_code_that_is_over_keeps_its_pins(device: Device, staying: AccessCode) -> None:
    cancel_code(staying)
    for change in (lambda: change_pin(staying, pin=None), lambda: try_again(staying)):
        with pytest.raises(ValidationError, match=r"over"):
            change()


def test_who_asked_is_written_down_without_the_pin(device: Device, staying: AccessCode, bob: User) -> None:
    change_pin(staying, pin=Secret("4831"), actor=bob)
    event = Event.objects.get(type=Event.Type.CODE_PIN_CHANGED)
    assert event.actor == bob
    assert "4831" not in str(event.data)


class TestTryAgain:
    """A failed code is set once more."""

    @pytest.fixture
    def failed(self, device: Device) -> AccessCode:
        fault(device, "reject_set")
        code = add_code(device=device, name="Housekeeping", kind=AccessCode.Kind.ONGOING, pin=Secret("4831"))
        settle(device)
        code.refresh_from_db()
        assert code.failed_at is not None
        return code

    def test_with_the_same_digits(self, device: Device, failed: AccessCode, bob: User) -> None:
        fault(device)
        try_again(failed, actor=bob)
        settle(device)
        assert digits(shown(failed)) == "4831"
        assert opens(device, failed)
        failed.refresh_from_db()
        assert failed.failed_at is None
        assert Event.objects.get(type=Event.Type.CODE_RETRIED).actor == bob

    def test_and_failing_again_is_said_again(self, device: Device, failed: AccessCode) -> None:
        try_again(failed)
        settle(device)
        failed.refresh_from_db()
        assert failed.failed_at is not None

    def test_or_with_other_digits(self, device: Device, failed: AccessCode) -> None:
        fault(device)
        change_pin(failed, pin=Secret("6042"))
        settle(device)
        assert digits(shown(failed)) == "6042"

    def test_a_pin_that_waits_for_its_next_try_goes_at_once(self, device: Device) -> None:
        code = add_code(device=device, name="Housekeeping", kind=AccessCode.Kind.ONGOING)
        fault(device, "ignore_set")
        settle(device)
        waiting = own(code).next_attempt_at
        fault(device)
        try_again(code)
        assert waiting is not None and own(code).next_attempt_at is None
        settle(device)
        assert opens(device, code)

    def test_one_that_works_is_left_alone(self, staying: AccessCode) -> None:
        with pytest.raises(ValidationError, match="did not fail"):
            try_again(staying)
