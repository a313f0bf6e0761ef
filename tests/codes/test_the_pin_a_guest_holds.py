"""A guest who holds a PIN keeps a door that opens, whatever becomes of the stay."""

from datetime import timedelta

import pytest
from django.utils import timezone

from backups.models import BackupCode
from codes.models import AccessCode, CodePin
from codes.services import change_code, pull_backup, reveal
from codes.tick import tick
from devices.models import Device, Hub, Pin, Property, SimulatedLock
from portal.secret import Secret
from tests import engine, factories
from tests.engine import (
    backup,
    fault,
    fill_pool,
    guest,
    later,
    look_at_everything,
    opens,
    own,
    ready,
    settle,
    shown,
    truth,
)


def move(code: AccessCode, *, start: timedelta = timedelta(0), end: timedelta | None = None) -> None:
    code.refresh_from_db()
    change_code(
        code,
        name=code.name,
        starts_at=code.starts_at + start,
        ends_at=code.ends_at + (start if end is None else end),
    )


def covered(device: Device, **fields) -> AccessCode:
    fill_pool(device)
    code = guest(device, **fields)
    pull_backup(code)
    settle(device)
    return code


class TestDoorPin:
    @pytest.mark.parametrize(
        ("backup_status", "own_status", "expected"),
        [
            ("set", "set", "backup"),
            ("unknown", "set", "backup"),
            ("writing", "set", "backup"),
            ("gone", "set", "own"),
            ("refused", "sent", "own"),
            ("gone", "unknown", "own"),
            ("gone", "refused", None),
            (None, "set", "own"),
            (None, "sent", "own"),
            (None, "unknown", "own"),
            (None, "planned", None),
            (None, "gone", None),
            (None, "removed", None),
        ],
    )
    def test_is_the_one_answer(self, device: Device, backup_status, own_status, expected) -> None:
        code = factories.AccessCodeFactory(device=device)
        given = {"own": factories.CodePinFactory(code=code, pin__status=own_status, pin__slot=1).pin}
        if backup_status:
            pool = factories.BackupPoolFactory(device=device)
            spare = factories.BackupCodeFactory(pool=pool, pin__status=backup_status, drawn_at=timezone.now())
            given["backup"] = factories.CodePinFactory(code=code, pin=spare.pin, role="backup").pin
        assert shown(code) == (given[expected] if expected else None)

    def test_is_none_once_the_stay_is_over(self, device: Device) -> None:
        code = factories.AccessCodeFactory(device=device, ended_at=timezone.now())
        factories.CodePinFactory(code=code, pin__status="set", pin__slot=1)
        assert shown(code) is None

    def test_is_not_an_own_pin_whose_window_on_the_lock_is_over(self, device: Device) -> None:
        code = factories.AccessCodeFactory(device=device, starts_at=timezone.now() - timedelta(days=2))
        factories.CodePinFactory(
            code=code, pin__status="set", pin__slot=1, pin__seen_until=timezone.now() - timedelta(hours=1)
        )
        assert shown(code) is None


class TestAStayMovedAfterAPull:
    def test_within_the_programming_lead_keeps_the_same_backup(self, device: Device) -> None:
        code = covered(device)
        pin = backup(code)
        move(code, start=timedelta(hours=10))
        settle(device)
        assert backup(code) == pin and opens(device, code)
        code.refresh_from_db()
        pin.refresh_from_db()
        assert (pin.wanted_from, pin.wanted_until) == (code.starts_at, code.ends_at)

    def test_beyond_it_takes_the_spare_off_the_lock_and_starts_afresh(self, device: Device) -> None:
        code = covered(device)
        pin = backup(code)
        before = own(code)
        move(code, start=timedelta(days=20))
        settle(device)
        assert backup(code) is None
        assert own(code) != before and own(code).status == Pin.Status.PLANNED
        assert pin.secret.reveal() not in truth(device).values()
        spent = BackupCode.objects.get(pin=pin)
        assert spent.drawn_at is not None and spent not in ready(device)
        with later(days=18):
            settle(device)
            assert own(code).status == Pin.Status.SET and opens(device, code)

    def test_that_has_begun_keeps_its_backup_however_far_the_end(self, device: Device) -> None:
        code = covered(device, starts=timedelta(hours=-1))
        pin = backup(code)
        move(code, end=timedelta(days=30))
        settle(device)
        assert backup(code) == pin and opens(device, code)
        with later(days=31):
            settle(device)
            assert opens(device, code)

    def test_and_extended_does_not_have_its_backup_rewritten(self, device: Device) -> None:
        """A write that half-fails would lock the guest out."""
        code = covered(device, starts=timedelta(hours=-1))
        writes = SimulatedLock.objects.get().writes
        move(code, end=timedelta(days=5))
        settle(device)
        assert SimulatedLock.objects.get().writes == writes


class TestAStayExtended:
    def test_with_its_own_pin_confirmed_gets_a_longer_window(self, device: Device) -> None:
        code = guest(device, starts=timedelta(hours=-1))
        settle(device)
        pin = own(code)
        move(code, end=timedelta(days=3))
        settle(device)
        code.refresh_from_db()
        assert own(code) == pin and own(code).seen_until == code.ends_at

    def test_after_its_pin_was_removed_is_programmed_afresh(self, device: Device) -> None:
        code = guest(device, starts=timedelta(days=-1), ends_at=timezone.now() + timedelta(hours=1))
        settle(device)
        first = own(code)
        with later(hours=2):
            settle(device)
            assert own(code).status == Pin.Status.REMOVED
            move(code, end=timedelta(days=1))
            settle(device)
            assert own(code) != first and opens(device, code)
            assert first.secret.reveal() != own(code).secret.reveal()

    def test_on_a_lock_that_refuses_keeps_the_old_window_and_is_covered_before_it_ends(self, device: Device) -> None:
        fill_pool(device)
        code = guest(device, starts=timedelta(hours=-1))
        settle(device)
        fault(device, "reject_set")
        move(code, end=timedelta(days=3))
        settle(device)
        assert own(code).status == Pin.Status.SET and opens(device, code)
        with later(days=1):
            settle(device)
            assert backup(code) is not None and opens(device, code)


class TestAnOwnPinThatSomebodyKnows:
    def test_stays_until_checkout_if_it_is_found_after_the_cover(self, device: Device, alice) -> None:
        fill_pool(device)
        code = guest(device)
        settle(device)
        seen = reveal(code, actor=alice)
        pull_backup(code)
        settle(device)
        assert seen.reveal() in truth(device).values()
        with later(days=3):
            settle(device)
            assert seen.reveal() not in truth(device).values()

    def test_because_a_person_chose_it_stays_as_well(self, device: Device) -> None:
        fill_pool(device)
        code = guest(device, pin=Secret("4837"))
        settle(device)
        pull_backup(code)
        settle(device)
        assert "4837" in truth(device).values()

    def test_is_tolerated_and_never_written_again(self, device: Device, alice) -> None:
        fill_pool(device)
        code = guest(device)
        settle(device)
        reveal(code, actor=alice)
        pull_backup(code)
        engine.wipe(device)
        look_at_everything(device)
        settle(device)
        assert own(code).secret.reveal() not in truth(device).values()
        assert opens(device, code)

    def test_that_nobody_saw_leaves_once_it_is_covered(self, device: Device) -> None:
        fill_pool(device)
        code = guest(device)
        settle(device)
        pull_backup(code)
        settle(device)
        assert own(code).secret.reveal() not in truth(device).values()
        assert opens(device, code)

    def test_goes_with_the_stay_when_it_is_moved(self, device: Device, alice) -> None:
        fill_pool(device)
        code = guest(device, starts=timedelta(hours=-1))
        settle(device)
        reveal(code, actor=alice)
        pull_backup(code)
        move(code, end=timedelta(days=2))
        code.refresh_from_db()
        assert own(code).wanted_until == code.ends_at

    def test_lost_during_the_stay_comes_back_beside_the_backup(self, device: Device, alice) -> None:
        fill_pool(device)
        code = guest(device, starts=timedelta(hours=-1))
        settle(device)
        seen = reveal(code, actor=alice)
        engine.take_off_behind_our_back(device, own(code))
        look_at_everything(device)
        settle(device)
        assert backup(code) is not None and opens(device, code)
        assert seen.reveal() in truth(device).values()


class TestWhileAStayRuns:
    def test_nothing_is_withdrawn_before_its_replacement_is_confirmed(self, device: Device) -> None:
        """At every call of every turn one of the code's PINs is on the lock."""
        fill_pool(device)
        code = guest(device, starts=timedelta(hours=-1))
        settle(device)
        pull_backup(code)
        for _ in range(4):
            held = engine.take(device.pk)
            steps = engine.program(held, engine.seen)
            try:
                call = next(steps)
                while True:
                    assert opens(device, code)
                    call = steps.send(engine.perform(call))
            except StopIteration:
                pass
        assert opens(device, code)

    def test_a_backup_works_at_once_on_a_lock_with_native_windows(self, device: Device) -> None:
        fill_pool(device)
        code = guest(device, starts=timedelta(hours=-1))
        fault(device, "unreachable")
        pull_backup(code)
        assert opens(device, code)

    def test_covered_on_a_lock_wiped_meanwhile_ends_with_a_pin_that_opens(self, device: Device) -> None:
        code = covered(device, starts=timedelta(hours=-1))
        engine.wipe(device)
        look_at_everything(device)
        settle(device)
        assert opens(device, code)


def test_a_pin_is_never_given_to_two_guests_through_all_that(place: Property, hub: Hub) -> None:
    device = factories.DeviceFactory(property=place, hub=hub)
    fill_pool(device)
    for n in range(8):
        code = guest(device, f"Guest {n}", starts=timedelta(hours=-1), ends_at=timezone.now() + timedelta(hours=1))
        pull_backup(code)
        settle(device)
    with later(hours=2):
        tick()
        settle(device)
    given = CodePin.objects.values_list("pin", flat=True)
    assert len(given) == len(set(given))
    digests = list(Pin.objects.filter(code_pin__isnull=False).values_list("digest", flat=True))
    assert len(digests) == len(set(digests))
