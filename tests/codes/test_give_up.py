"""When we stop waiting for a guest's own PIN: early enough for a backup, not earlier than need be."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from backups.models import BackupCode
from codes.cover import cover_if_due, due_for_cover
from codes.models import AccessCode
from codes.services import change_code
from codes.tick import sweep, tick
from devices.lease import take
from devices.models import Device, Event, Hub, Pin, Property
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
    look_at_everything,
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


class TestTheBackup:
    def covered(self, device: Device, **fields) -> tuple[AccessCode, Pin]:
        fill_pool(device)
        code = guest(device, **fields)
        fault(device, "reject_set")
        engine.turn(device)
        fault(device)
        settle(device)
        pin = backup(code)
        assert pin is not None
        return code, pin

    def test_that_is_unknown_is_kept(self, device: Device) -> None:
        code, pin = self.covered(device)
        Pin.objects.filter(pk=pin.pk).update(status=Pin.Status.UNKNOWN)
        from codes.services import pull_backup

        assert pull_backup(code).pin_id == pin.pk

    def test_that_is_gone_before_check_in_is_set_again(self, device: Device) -> None:
        code, pin = self.covered(device)
        engine.take_off_behind_our_back(device, pin)
        look_at_everything(device)
        settle(device)
        assert backup(code) == pin and opens(device, code)

    def test_that_is_gone_and_cannot_be_set_again_is_replaced_in_time(self, device: Device) -> None:
        code, pin = self.covered(device)
        with later(minutes=3):
            settle(device)
            engine.take_off_behind_our_back(device, pin)
            fault(device, "ignore_set")
            look_at_everything(device)
        with later(minutes=8):
            settle(device)
            assert backup(code) not in (None, pin) and opens(device, code)

    def test_that_is_refused_when_set_again_is_replaced_at_once(self, device: Device) -> None:
        code, pin = self.covered(device)
        with later(minutes=3):
            settle(device)
            engine.take_off_behind_our_back(device, pin)
            fault(device, "reject_set")
            look_at_everything(device)
            assert backup(code) not in (None, pin) and opens(device, code)

    def test_that_is_lost_with_no_other_ready_is_said_loudly(self, device: Device) -> None:
        code, _ = self.covered(device, starts=timedelta(hours=-1))
        engine.wipe(device)
        fault(device, "ignore_set")
        look_at_everything(device)
        code.refresh_from_db()
        assert code.uncovered_since is not None
        assert Event.objects.filter(type=Event.Type.UNCOVERED, subject=code.pk).count() == 1
        fault(device)
        with later(minutes=5):
            settle(device)
            code.refresh_from_db()
            assert code.uncovered_since is None and opens(device, code)

    def test_that_is_lost_is_replaced_by_the_next_spare_though_it_may_be_put_back(self, device: Device) -> None:
        """A rewrite of it hangs in the air: the guest at the door does not wait for that."""
        code, pin = self.covered(device, starts=timedelta(hours=-1))
        engine.wipe(device)
        fault(device, "ignore_set")
        look_at_everything(device)
        pin.refresh_from_db()
        assert pin.status == Pin.Status.UNKNOWN
        spare = BackupCode.objects.spare().first()
        Pin.objects.filter(pk=spare.pin_id).update(status=Pin.Status.SET, slot=29)
        sweep()
        assert backup(code) == spare.pin


class TestUncovered:
    def test_stays_uncovered_through_a_change_that_changes_nothing_for_it(self, device: Device) -> None:
        fault(device, "reject_set")
        code = guest(device)
        settle(device)
        extend(code, hours=1)
        code.refresh_from_db()
        assert code.uncovered_since is not None

    def test_ends_when_the_stay_is_moved_far_ahead(self, device: Device) -> None:
        fault(device, "reject_set")
        code = guest(device)
        settle(device)
        start = code.starts_at + timedelta(days=30)
        change_code(code, name=code.name, starts_at=start, ends_at=start + timedelta(days=1))
        code.refresh_from_db()
        assert code.uncovered_since is None

    def test_ends_when_its_own_pin_is_set_after_all(self, place: Property, hub: Hub) -> None:
        device = factories.DeviceFactory(property=place, hub=hub, caps=replace(factories.PLAIN, backup_pool=False))
        fault(device, "unreachable")
        code = guest(device)
        settle(device)
        with later(minutes=3):
            tick()
            code.refresh_from_db()
            assert code.uncovered_since is not None
            fault(device)
            Device.objects.update(next_sync_at=timezone.now())
            settle(device)
            code.refresh_from_db()
            assert code.uncovered_since is None and opens(device, code)


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
