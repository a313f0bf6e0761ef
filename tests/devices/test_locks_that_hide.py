"""Locks that mask their digits, or show nothing at all."""

from devices.models import Pin, SimulatedLock
from devices.providers.base import (
    NoAnswer,
    ReadBack,
)
from tests import engine, factories
from tests.devices.bare import device, digits, extend, make
from tests.engine import fault, guest, held_before, later, own, settle, truth

__all__ = ["device", "make"]


class TestALockThatMasks:
    def test_says_set_for_presence_in_a_place_that_was_empty(self, make) -> None:
        device = make(factories.PLAIN, read_back=ReadBack.MASKED)
        code = guest(device)
        settle(device)
        assert own(code).status == Pin.Status.SET

    def test_is_not_written_over_to_change_a_window(self, make) -> None:
        device = make(read_back=ReadBack.MASKED)
        code = guest(device)
        settle(device)
        writes = SimulatedLock.objects.get().writes
        extend(code, days=1)
        settle(device)
        assert SimulatedLock.objects.get().writes == writes
        pin = own(code)
        assert pin.trouble == Pin.Trouble.UNSUPPORTED and not pin.confirmed

    def test_does_not_claim_the_new_window_after_a_write_nobody_answered(self, make) -> None:
        """It shows presence alone: what stands there is the old write."""
        device = make(read_back=ReadBack.PRESENCE)
        code = guest(device)
        held = held_before(device, "put")
        engine.perform(held.call)
        extend(code, days=1)
        held.finish(error=NoAnswer("lost"))
        settle(device)
        assert not own(code).confirmed

    def test_is_not_written_over_to_settle_a_lost_write_either(self, make) -> None:
        device = make(read_back=ReadBack.MASKED)
        code = guest(device)
        engine.perform(held_before(device, "put").call)  # it landed, and the worker was killed
        engine.lease_runs_out(device)
        extend(code, days=1)
        settle(device)
        assert SimulatedLock.objects.get().writes == 1
        assert own(code).status == Pin.Status.SET and not own(code).confirmed

    def test_is_taken_off_at_the_end_all_the_same(self, make) -> None:
        device = make(factories.PLAIN, read_back=ReadBack.PRESENCE)
        code = guest(device)
        settle(device)
        with later(days=3):
            settle(device)
        assert own(code).status == Pin.Status.REMOVED
        assert truth(device) == {}


class TestALockThatCannotBeRead:
    def test_says_sent_and_never_set(self, make) -> None:
        device = make(factories.UNREADABLE)
        code = guest(device)
        settle(device)
        pin = own(code)
        assert pin.status == Pin.Status.SENT and pin.confirmed
        assert truth(device) == {"1": digits(code)}

    def test_keeps_what_was_sent_when_a_longer_window_is_refused(self, make) -> None:
        """It may still open the door, so it must still be taken off one day."""
        device = make(factories.UNREADABLE, native_schedules=True)
        code = guest(device)
        settle(device)
        extend(code, days=1)
        fault(device, "reject_set")
        engine.turn(device)
        assert own(code).status == Pin.Status.SENT and not own(code).confirmed
        fault(device)
        with later(days=4):
            settle(device)
        assert truth(device) == {}

    def test_repeats_into_the_same_slot_after_no_answer(self, make) -> None:
        device = make(factories.UNREADABLE)
        fault(device, "apply_then_silent")
        code = guest(device)
        engine.turn(device)
        assert own(code).status == Pin.Status.UNKNOWN
        fault(device)
        with later(minutes=2):
            settle(device)
        assert own(code).status == Pin.Status.SENT
        assert truth(device) == {"1": digits(code)}

    def test_goes_on_trying_when_an_earlier_write_may_be_there(self, make) -> None:
        device = make(factories.UNREADABLE)
        fault(device, "apply_then_silent")
        code = guest(device)
        engine.turn(device)
        fault(device, "reject_set")
        with later(minutes=2):
            settle(device)
            assert own(code).maybe_on_lock
