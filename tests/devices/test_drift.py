"""What changes on the lock without us is found by reading it in full, and mended or shown."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from codes.services import add_code, cancel_code
from devices.models import Device, Event, Hub, Pin, Property, SimulatedLock
from devices.providers.base import NoAnswer
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
def bare(place: Property, hub: Hub) -> Device:
    return factories.DeviceFactory(property=place, hub=hub, caps=replace(factories.MODERN, backup_pool=False))


def count(kind: Event.Type) -> int:
    return Event.objects.filter(type=kind).count()


class TestItIsReadInFull:
    def test_every_six_hours(self, bare: Device) -> None:
        look_at_everything(bare)
        settle(bare)
        with later(hours=5, minutes=58):
            settle(bare)
            bare.refresh_from_db()
            assert timezone.now() - bare.read_at > timedelta(hours=5)
        with later(hours=6, minutes=1):
            settle(bare)
            bare.refresh_from_db()
            assert bare.read_at == timezone.now()

    def test_when_one_of_ours_is_missing(self, bare: Device) -> None:
        first, second = guest(bare, "First"), guest(bare, "Second")
        settle(bare)
        engine.wipe(bare)
        Pin.objects.filter(pk=own(first).pk).update(seen_until=timezone.now())
        settle(bare)  # one is looked at, and the other found missing as well
        engine.turn(bare)
        settle(bare)
        assert {own(first).secret.reveal(), own(second).secret.reveal()} <= set(truth(bare).values())

    def test_and_a_place_without_an_answer_is_not_an_empty_lock(self, bare: Device) -> None:
        code = guest(bare)
        settle(bare)
        Device.objects.update(read_wanted=True)
        held_before(bare, "read_all").finish(error=NoAnswer("one slot kept silent"))
        assert own(code).status == Pin.Status.SET
        bare.refresh_from_db()
        assert bare.read_wanted


class TestAGuestsPin:
    def test_that_is_gone_before_the_stay_is_put_back(self, bare: Device) -> None:
        code = guest(bare, starts=timedelta(hours=50))
        settle(bare)
        engine.take_off_behind_our_back(bare, own(code))
        look_at_everything(bare)
        settle(bare)
        assert own(code).status == Pin.Status.SET and own(code).secret.reveal() in truth(bare).values()
        assert count(Event.Type.CODE_DELETED_OUTSIDE) == 1

    def test_that_is_gone_and_cannot_be_put_back_is_covered_in_time(self, device: Device) -> None:
        fill_pool(device)
        code = guest(device, starts=timedelta(hours=50))
        settle(device)
        engine.take_off_behind_our_back(device, own(code))
        fault(device, "ignore_set")
        look_at_everything(device)
        settle(device)
        assert backup(code) is None
        with later(hours=14, minutes=5):
            settle(device)
            assert backup(code) is not None and opens(device, code)

    def test_that_is_gone_during_the_stay_is_covered_at_once(self, device: Device) -> None:
        fill_pool(device)
        code = guest(device, starts=timedelta(hours=-1))
        settle(device)
        engine.take_off_behind_our_back(device, own(code))
        look_at_everything(device)
        assert backup(code) is not None and opens(device, code)

    def test_whose_digits_were_changed_under_our_label_is_put_elsewhere(self, bare: Device) -> None:
        code = guest(bare)
        settle(bare)
        pin = own(code)
        engine.put_behind_our_back(bare, str(pin.slot), "4711", pin.label)
        look_at_everything(bare)
        assert count(Event.Type.CODE_CHANGED_OUTSIDE) == 1
        settle(bare)
        assert own(code).status == Pin.Status.SET
        assert own(code).secret.reveal() in truth(bare).values()
        assert "4711" in truth(bare).values()


class TestASpare:
    def test_that_is_gone_is_replaced(self, device: Device) -> None:
        spares = fill_pool(device)
        engine.take_off_behind_our_back(device, spares[0].pin)
        look_at_everything(device)
        settle(device)
        assert len(ready(device)) == 5 and len(truth(device)) == 5


class TestAFormerGuest:
    def former(self, device: Device) -> Pin:
        code = guest(device)
        settle(device)
        cancel_code(code)
        settle(device)
        pin = own(code)
        assert pin.status == Pin.Status.REMOVED
        return pin

    def test_found_in_its_old_place_is_removed(self, bare: Device) -> None:
        pin = self.former(bare)
        engine.put_behind_our_back(bare, str(pin.slot), pin.secret.reveal())
        look_at_everything(bare)
        settle(bare)
        assert truth(bare) == {}
        assert count(Event.Type.STRAY_REMOVED) == 1

    def test_found_by_its_label_is_removed(self, bare: Device) -> None:
        pin = self.former(bare)
        engine.put_behind_our_back(bare, "9", "4711", pin.label)
        look_at_everything(bare)
        settle(bare)
        assert truth(bare) == {}

    def test_found_by_digits_alone_is_flagged_and_stays(self, bare: Device) -> None:
        """It could be a stranger's choice."""
        pin = self.former(bare)
        engine.put_behind_our_back(bare, "9", pin.secret.reveal())
        for _ in range(3):
            look_at_everything(bare)
        settle(bare)
        assert truth(bare) == {"9": pin.secret.reveal()}
        assert count(Event.Type.STRAY_FOUND) == 1
        bare.refresh_from_db()
        assert bare.unmanaged == [9]

    def test_digits_that_were_planned_and_never_sent_are_no_former_code(self, bare: Device) -> None:
        code = guest(bare, starts=timedelta(days=9))
        cancel_code(code)
        settle(bare)
        engine.put_behind_our_back(bare, "9", own(code).secret.reveal())
        look_at_everything(bare)
        assert count(Event.Type.STRAY_FOUND) == 0


class TestWhatIsNotOurs:
    def test_is_counted_shown_and_never_touched(self, bare: Device) -> None:
        engine.put_behind_our_back(bare, "3", "4711", "Cleaner")
        look_at_everything(bare)
        guest(bare)
        settle(bare)
        bare.refresh_from_db()
        assert bare.unmanaged == [3]
        assert truth(bare)["3"] == "4711"
        assert count(Event.Type.UNMANAGED_FOUND) == 1

    def test_is_forgotten_when_it_is_gone(self, bare: Device) -> None:
        engine.put_behind_our_back(bare, "3", "4711")
        look_at_everything(bare)
        engine.wipe(bare)
        look_at_everything(bare)
        bare.refresh_from_db()
        assert bare.unmanaged == []
        assert count(Event.Type.UNMANAGED_GONE) == 1

    def test_is_not_adopted_for_digits_we_only_plan(self, bare: Device) -> None:
        """It is a stranger's: at checkout we would take it off."""
        code = guest(bare, starts=timedelta(days=9))
        engine.put_behind_our_back(bare, "3", own(code).secret.reveal())
        look_at_everything(bare)
        assert own(code).status == Pin.Status.PLANNED
        bare.refresh_from_db()
        assert bare.unmanaged == [3]

    def test_masked_codes_are_counted_too(self, bare: Device) -> None:
        engine.put_behind_our_back(bare, "3", "4711")
        fault(bare, "mask_codes")
        look_at_everything(bare)
        bare.refresh_from_db()
        assert bare.unmanaged == [3]


class TestALockThatMasksSuddenly:
    def test_loses_nobody_and_is_not_rewritten(self, bare: Device) -> None:
        code = guest(bare)
        settle(bare)
        writes = SimulatedLock.objects.get().writes
        fault(bare, "mask_codes")
        look_at_everything(bare)
        settle(bare)
        assert own(code).status == Pin.Status.SET
        assert SimulatedLock.objects.get().writes == writes


class TestAWipedLock:
    def test_is_filled_again_guests_first(self, device: Device) -> None:
        fill_pool(device)
        staying = guest(device, starts=timedelta(hours=-1))
        owner = add_code(device=device, name="Owner", kind="ongoing")
        settle(device)
        engine.wipe(device)
        look_at_everything(device)
        settle(device)
        assert opens(device, staying)
        assert own(owner).secret.reveal() in truth(device).values()
        assert len(ready(device)) == 5


class TestBattery:
    def test_is_noted_and_low_is_said_once(self, bare: Device) -> None:
        for percent in (20, 12, 9):
            SimulatedLock.objects.update(battery=percent)
            look_at_everything(bare)
            bare.refresh_from_db()
            assert bare.battery == percent
        assert count(Event.Type.DEVICE_LOW_BATTERY) == 1
