"""When we stop waiting for a guest's own PIN: early enough for a backup, not earlier than need be."""

from datetime import timedelta

import pytest
from django.utils import timezone

from backups.models import BackupCode
from codes.cover import cover_if_due, due_for_cover
from codes.models import AccessCode
from codes.services import change_code
from codes.tick import tick
from devices.lease import take
from devices.models import Device, Hub, Pin, Property
from devices.providers.base import Outcome, Reason, Result
from portal.secret import Secret
from tests import engine, factories
from tests.engine import (
    backup,
    fault,
    fill_pool,
    guest,
    held_before,
    later,
    opens,
    own,
    ready,
    settle,
    truth,
)


@pytest.fixture
def plain(place: Property, hub: Hub) -> Device:
    return factories.DeviceFactory(property=place, hub=hub, caps=factories.PLAIN)


def extend(code: AccessCode, **by: float) -> None:
    code.refresh_from_db()
    change_code(code, name=code.name, starts_at=code.starts_at, ends_at=code.ends_at + timedelta(**by))


class TestTheMoment:
    def test_is_36_hours_before_check_in_on_a_lock_that_keeps_schedules(self, device: Device) -> None:
        code = guest(device, starts=timedelta(days=9))
        assert own(code).give_up_at == code.starts_at - timedelta(hours=36)

    def test_is_half_an_hour_before_on_one_that_does_not(self, plain: Device) -> None:
        code = guest(plain, starts=timedelta(days=9))
        assert own(code).give_up_at == code.starts_at - timedelta(minutes=30)

    def test_is_two_minutes_after_a_last_minute_booking(self, device: Device) -> None:
        code = guest(device, starts=timedelta(minutes=5))
        assert timedelta(0) <= own(code).give_up_at - code.changed_at - timedelta(minutes=2) < timedelta(seconds=1)

    def test_is_the_workspaces_setting(self, device: Device) -> None:
        workspace = device.property.workspace
        workspace.cover_lead_native = timedelta(hours=5)
        workspace.save(update_fields=["cover_lead_native"])
        code = guest(device, starts=timedelta(days=9))
        assert own(code).give_up_at == code.starts_at - timedelta(hours=5)

    def test_of_an_extension_counts_from_the_old_end(self, device: Device) -> None:
        code = guest(device, starts=timedelta(hours=-1), ends_at=timezone.now() + timedelta(days=5))
        settle(device)
        old_end = code.ends_at
        extend(code, days=3)
        assert own(code).give_up_at == old_end - timedelta(hours=36)

    def test_of_a_stay_extended_before_its_pin_worked_is_not_put_off(self, device: Device) -> None:
        """The guest stands at the door: the old checkout is no reason to wait."""
        fill_pool(device)
        fault(device, "unreachable")
        code = guest(device, starts=timedelta(hours=-1), ends_at=timezone.now() + timedelta(days=5))
        extend(code, days=3)
        with later(minutes=2, seconds=1):
            tick()
        assert opens(device, code)

    def test_is_not_put_off_by_a_new_name(self, device: Device) -> None:
        code = guest(device)
        before = own(code).give_up_at
        with later(minutes=1):
            change_code(code, name="Benjamin", starts_at=code.starts_at, ends_at=code.ends_at)
        assert own(code).give_up_at == before


class TestAFinalRefusal:
    def test_covers_at_once_within_the_lead(self, plain: Device) -> None:
        fill_pool(plain)
        fault(plain, "reject_set")
        code = guest(plain, starts=timedelta(minutes=20))
        engine.turn(plain)
        assert backup(code) is not None and opens(plain, code)

    def test_waits_for_the_lead_before_it(self, plain: Device) -> None:
        fill_pool(plain)
        code = guest(plain, starts=timedelta(minutes=50))
        refusal = Outcome(Result.REJECTED, Reason.UNSPECIFIED)
        held_before(plain, "put").finish(always={"put": refusal})
        assert backup(code) is None
        assert own(code).give_up_at == code.starts_at - timedelta(minutes=30)
        with later(minutes=20, seconds=1):
            tick()
            assert backup(code) is not None

    def test_after_a_change_is_tried_with_other_digits(self, device: Device) -> None:
        code = guest(device, starts=timedelta(hours=60))
        held_before(device, "put").finish(always={"put": Outcome(Result.REJECTED, Reason.UNSPECIFIED)})
        refused = own(code)
        assert refused.status == Pin.Status.REFUSED
        extend(code, days=1)
        settle(device)
        assert own(code) != refused and own(code).status == Pin.Status.SET
        code.refresh_from_db()
        assert code.failed_at is None


class TestAtTheMoment:
    def test_sent_counts_as_confirmed_on_a_lock_that_cannot_be_read(self, place: Property, hub: Hub) -> None:
        device = factories.DeviceFactory(property=place, hub=hub, caps=factories.UNREADABLE)
        code = guest(device)
        settle(device)
        with later(minutes=5):
            tick()
        code.refresh_from_db()
        assert code.uncovered_since is None and backup(code) is None

    def test_set_with_a_window_too_short_does_not(self, device: Device) -> None:
        fill_pool(device)
        code = guest(device, starts=timedelta(hours=-1))
        settle(device)
        fault(device, "unreachable")
        extend(code, days=2)
        with later(days=1):
            tick()
            assert backup(code) is not None and opens(device, code)

    def test_a_stuck_lock_delays_nothing(self, device: Device) -> None:
        fill_pool(device)
        code = guest(device)
        assert take(device.pk) is not None
        with later(minutes=2, seconds=1):
            tick()
        assert opens(device, code)

    def test_one_set_a_moment_ago_is_not_covered(self, device: Device) -> None:
        """The tick looked, then the lock confirmed, then the tick covers."""
        fill_pool(device)
        code = guest(device)
        with later(minutes=3):
            found = list(due_for_cover(timezone.now()))
            settle(device)
            assert [found_code.pk for found_code in found] == [code.pk]
            assert cover_if_due(found[0], timezone.now()) is None
        assert len(ready(device)) == 5

    def test_one_moved_away_a_moment_ago_is_not_covered(self, device: Device) -> None:
        fill_pool(device)
        code = guest(device)
        at = timezone.now() + timedelta(minutes=3)
        found = list(due_for_cover(at))
        later_start = code.starts_at + timedelta(days=30)
        change_code(code, name=code.name, starts_at=later_start, ends_at=later_start + timedelta(days=1))
        assert cover_if_due(found[0], at) is None

    def test_a_code_in_trouble_does_not_keep_the_next_from_its_backup(self, device: Device, monkeypatch) -> None:
        from codes import tick as pulse

        fill_pool(device)
        fault(device, "unreachable")
        bad, good = guest(device, "Bad", starts=timedelta(hours=-2)), guest(device, "Good")
        real = cover_if_due

        def fails_for_one(code: AccessCode, at) -> BackupCode | None:
            if code.pk == bad.pk:
                raise RuntimeError("bug")
            return real(code, at)

        monkeypatch.setattr(pulse, "cover_if_due", fails_for_one)
        with later(minutes=3):
            tick()
        assert backup(good) is not None

    def test_the_spare_is_read_once_more_in_a_turn_on_a_lock_that_answers(self, device: Device) -> None:
        fill_pool(device)
        engine.wipe(device)
        fault(device, "reject_set")
        code = guest(device)
        engine.turn(device)
        code.refresh_from_db()
        assert backup(code) is None and code.uncovered_since is not None
        fault(device)
        with later(minutes=2):
            settle(device)
            assert opens(device, code)


def test_ongoing_codes_have_no_give_up_and_are_never_due(device: Device) -> None:
    from codes.services import add_code

    fill_pool(device)
    fault(device, "unreachable")
    code = add_code(device=device, name="Housekeeping", kind="ongoing", pin=Secret("4837"))
    assert own(code).give_up_at is None
    with later(days=30):
        settle(device)
        assert list(due_for_cover(timezone.now())) == []
    Pin.objects.filter(pk=own(code).pk).update(give_up_at=timezone.now())  # even if somebody wrote it from below
    with later(days=30):
        tick()
        assert list(due_for_cover(timezone.now())) == []
    assert len(ready(device)) == 5
    assert len(truth(device)) == 5
