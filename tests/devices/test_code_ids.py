"""Locks that name a code themselves: a write that got lost is looked for, and never repeated while it may land."""

from devices.models import Pin, SimulatedLock
from devices.providers.base import (
    NoAnswer,
    ReadBack,
)
from tests import engine, factories
from tests.devices.bare import device, digits, make
from tests.engine import fault, guest, held_before, later, own, settle, truth

__all__ = ["device", "make"]


class TestALockAddressedByCodeId:
    def test_an_unknown_outcome_is_looked_up_and_adopted(self, make) -> None:
        device = make(factories.CLOUD)
        fault(device, "apply_then_silent")
        code = guest(device)
        settle(device)
        pin = own(code)
        assert pin.status == Pin.Status.SET and pin.code_id == "code-1"
        assert SimulatedLock.objects.get().writes == 1

    def test_by_its_label_where_digits_are_hidden(self, make) -> None:
        device = make(factories.CLOUD, read_back=ReadBack.MASKED)
        fault(device, "apply_then_silent")
        code = guest(device)
        settle(device)
        assert own(code).code_id == "code-1"
        assert SimulatedLock.objects.get().writes == 1

    def test_it_is_not_repeated_while_it_may_still_land(self, make) -> None:
        device = make(factories.CLOUD)
        fault(device, "late", late_ms=15_000)
        code = guest(device)
        settle(device)
        fault(device)
        with later(seconds=10):
            settle(device)
            assert SimulatedLock.objects.get().writes == 1
        with later(seconds=80):
            settle(device)
            assert own(code).status == Pin.Status.SET
            assert list(truth(device).values()) == [digits(code)]
        assert SimulatedLock.objects.get().writes == 1

    def test_it_is_repeated_once_it_cannot_land_any_more(self, make) -> None:
        device = make(factories.CLOUD)
        fault(device, "mute")
        code = guest(device)
        held_before(device, "put").finish(error=NoAnswer("lost"))
        fault(device)
        with later(minutes=2):
            settle(device)
            assert own(code).status == Pin.Status.SET
        assert list(truth(device).values()) == [digits(code)]

    def test_it_is_never_repeated_where_neither_label_nor_digits_can_be_read(self, make) -> None:
        device = make(factories.CLOUD, read_back=ReadBack.MASKED, label_length=0)
        fault(device, "apply_then_silent")
        code = guest(device)
        settle(device)
        for minutes in (5, 60, 600):
            with later(minutes=minutes):
                settle(device, turns=3)
        assert SimulatedLock.objects.get().writes == 1
        assert own(code).maybe_on_lock

    def test_nor_where_nothing_can_be_read_at_all(self, make) -> None:
        device = make(factories.CLOUD, read_back=ReadBack.NONE)
        fault(device, "apply_then_silent")
        code = guest(device)
        for minutes in (0, 5, 60):
            with later(minutes=minutes):
                settle(device, turns=3)
        assert SimulatedLock.objects.get().writes == 1
        assert own(code).maybe_on_lock

    def test_a_code_deleted_in_the_makers_app_comes_back_under_a_new_id(self, make) -> None:
        device = make(factories.CLOUD)
        code = guest(device)
        settle(device)
        engine.wipe(device)
        engine.look_at_everything(device)
        settle(device)
        assert own(code).status == Pin.Status.SET and own(code).code_id == "code-2"
        assert truth(device) == {"code-2": digits(code)}
