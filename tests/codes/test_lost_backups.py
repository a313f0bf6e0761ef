"""A backup that is lost, refused or not to be had: what becomes of the guest it was for."""

from dataclasses import replace
from datetime import timedelta

from django.utils import timezone

from backups.models import BackupCode
from codes.models import AccessCode
from codes.services import change_code
from codes.tick import sweep, tick
from devices.models import Device, Event, Hub, Pin, Property
from tests import engine, factories
from tests.engine import (
    backup,
    fault,
    fill_pool,
    guest,
    later,
    look_at_everything,
    opens,
    settle,
)


def extend(code: AccessCode, **by: float) -> None:
    code.refresh_from_db()
    change_code(code, name=code.name, starts_at=code.starts_at, ends_at=code.ends_at + timedelta(**by))


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
