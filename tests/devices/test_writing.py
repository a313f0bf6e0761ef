"""Putting a PIN on a lock: only into what was just read as empty, and believed only when read back."""

from datetime import timedelta

from django.utils import timezone

from codes.services import add_code, change_code
from devices.models import Device, Event, Pin, SimulatedLock
from devices.providers.base import (
    Addressing,
    Observation,
    Outcome,
    PinRules,
    ReadBack,
    Reason,
    Result,
    Seen,
    Unreachable,
    Window,
)
from devices.runner import perform
from portal.secret import Secret
from tests import engine, factories
from tests.devices.bare import device, digits, extend, make
from tests.engine import fault, guest, held_before, later, own, settle, truth

__all__ = ["device", "make"]


class TestTheSlotIsReadFirst:
    def test_and_one_that_is_occupied_is_left_alone(self, device: Device) -> None:
        engine.put_behind_our_back(device, "1", "4711")
        code = guest(device)
        settle(device)
        assert truth(device) == {"1": "4711", "2": digits(code)}
        device.refresh_from_db()
        assert device.unmanaged == [1]
        assert Event.objects.filter(type=Event.Type.UNMANAGED_FOUND).count() == 1

    def test_and_one_that_shows_asterisks_is_never_overwritten(self, make) -> None:
        device = make(factories.PLAIN, read_back=ReadBack.MASKED)
        engine.put_behind_our_back(device, "1", "4711")
        code = guest(device)
        settle(device)
        assert truth(device) == {"1": "4711", "2": digits(code)}

    def test_and_no_answer_means_no_write(self, device: Device, lock: SimulatedLock) -> None:
        guest(device)
        held_before(device, "read").finish(Observation(Seen.NO_ANSWER))
        lock.refresh_from_db()
        assert lock.writes == 0


class TestTheIntentIsWrittenDownBeforeTheCall:
    def test_so_a_killed_worker_leaves_a_pin_that_may_be_on_the_lock(self, device: Device) -> None:
        code = guest(device)
        held_before(device, "put")
        pin = own(code)
        assert pin.status == Pin.Status.WRITING and pin.slot == 1 and pin.maybe_on_lock

    def test_and_the_next_holder_reads_before_it_writes(self, device: Device, lock: SimulatedLock) -> None:
        code = guest(device)
        stopped = held_before(device, "put")
        engine.perform(stopped.call)  # it landed, and the worker was killed
        engine.lease_runs_out(device)
        engine.turn(device)
        lock.refresh_from_db()
        assert lock.writes == 1
        assert own(code).status == Pin.Status.SET

    def test_and_keeps_the_place_while_the_lost_call_may_still_land(self, device: Device) -> None:
        code = guest(device)
        held_before(device, "put")
        engine.lease_runs_out(device)
        code.refresh_from_db()
        from codes.services import cancel_code

        cancel_code(code)
        engine.turn(device)
        assert own(code).maybe_on_lock
        with later(seconds=41):  # deadline 20 s + max_late 20 s
            engine.turn(device)
            assert own(code).status == Pin.Status.REMOVED


class TestAfterEveryWriteItIsReadBack:
    def test_a_success_that_is_a_lie_is_not_believed(self, device: Device) -> None:
        fault(device, "ignore_set")
        code = guest(device)
        settle(device)
        pin = own(code)
        assert pin.status == Pin.Status.UNKNOWN
        assert pin.trouble == Pin.Trouble.NOT_STORED
        assert truth(device) == {}

    def test_a_lost_answer_that_hides_a_success_is_found_out(self, device: Device) -> None:
        fault(device, "apply_then_silent")
        code = guest(device)
        settle(device)
        assert own(code).status == Pin.Status.SET
        assert truth(device) == {"1": digits(code)}

    def test_no_answer_to_the_read_is_never_empty(self, device: Device) -> None:
        code = guest(device)
        held = held_before(device, "put")
        answer = engine.perform(held.call)
        held.call = held.steps.send(answer)
        held.finish(Observation(Seen.NO_ANSWER))
        pin = own(code)
        assert pin.status == Pin.Status.UNKNOWN and pin.unknown_at is not None
        engine.turn(device)
        assert own(code).status == Pin.Status.SET

    def test_a_refusal_after_which_the_pin_is_there_counts_as_set(self, device: Device) -> None:
        code = guest(device)
        held = held_before(device, "put")
        engine.perform(held.call)
        held.finish(Outcome(Result.REJECTED, Reason.UNSPECIFIED))
        assert own(code).status == Pin.Status.SET

    def test_other_digits_in_our_place_are_not_ours(self, device: Device) -> None:
        code = guest(device)
        held = held_before(device, "put")
        engine.put_behind_our_back(device, "1", "4711")
        held.finish(Outcome(Result.CONFIRMED))
        assert own(code).status == Pin.Status.GONE
        with later(minutes=3):
            settle(device)
            assert truth(device) == {"1": "4711", "2": digits(code)}

    def test_an_unreachable_lock_leaves_the_pin_as_it_was(self, device: Device) -> None:
        code = guest(device)
        settle(device)
        extend(code, days=1)
        held_before(device, "put").finish(Outcome(Result.UNREACHABLE))
        pin = own(code)
        assert pin.status == Pin.Status.SET and pin.trouble == Pin.Trouble.OFFLINE
        assert not pin.confirmed

    def test_never_sent_means_never_on_the_lock(self, device: Device) -> None:
        code = guest(device)
        held_before(device, "put").finish(error=Unreachable("away"))
        assert own(code).status == Pin.Status.PLANNED

    def test_a_provider_that_breaks_means_that_nobody_knows(self, device: Device) -> None:
        from devices.programming import ProviderFailed

        code = guest(device)
        held_before(device, "put").finish(error=ProviderFailed("KeyError"))
        assert own(code).status == Pin.Status.UNKNOWN
        assert not truth(device)


class TestWindowsOnLocksThatKeepSchedules:
    def test_one_too_short_is_written_anew_in_its_place(self, device: Device) -> None:
        code = guest(device)
        settle(device)
        extend(code, days=1)
        settle(device)
        code.refresh_from_db()
        assert own(code).seen_until == code.ends_at
        assert truth(device) == {"1": digits(code)}

    def test_one_too_long_is_ended_by_removal(self, device: Device, lock: SimulatedLock) -> None:
        code = guest(device)
        settle(device)
        writes = SimulatedLock.objects.get().writes
        extend(code, days=-1)
        settle(device)
        assert SimulatedLock.objects.get().writes == writes
        assert own(code).confirmed
        with later(days=1, hours=1):
            settle(device)
        assert truth(device) == {}

    def test_one_of_a_stay_moved_far_ahead_does_not_keep_its_old_dates(self, device: Device) -> None:
        code = guest(device, starts=timedelta(hours=40))
        settle(device)
        change_code(
            code,
            name=code.name,
            starts_at=code.starts_at + timedelta(days=20),
            ends_at=code.ends_at + timedelta(days=20),
        )
        settle(device)
        code.refresh_from_db()
        assert own(code).seen_window == Window(code.starts_at, code.ends_at)

    def test_it_is_programmed_from_72_hours_ahead(self, device: Device) -> None:
        code = guest(device, starts=timedelta(hours=80))
        settle(device)
        assert own(code).status == Pin.Status.PLANNED
        with later(hours=8, minutes=1):
            settle(device)
            assert own(code).status == Pin.Status.SET


class TestALockWithoutSchedules:
    def test_is_programmed_from_an_hour_ahead_and_emptied_at_the_end(self, make) -> None:
        device = make(factories.PLAIN)
        code = guest(device, starts=timedelta(hours=5))
        settle(device)
        assert truth(device) == {}
        with later(hours=4, minutes=1):
            settle(device)
            assert truth(device) == {"1": digits(code)}
        with later(days=2, hours=5, minutes=1):
            settle(device)
            assert truth(device) == {}

    def test_the_turn_is_due_at_the_programming_moment_by_itself(self, make) -> None:
        device = make(factories.PLAIN)
        code = guest(device, starts=timedelta(hours=5))
        settle(device)
        device.refresh_from_db()
        assert device.next_sync_at == own(code).program_at


class TestDigits:
    def test_a_paired_keypads_twin_digits_are_the_same_pin(self, make) -> None:
        device = make(factories.PLAIN, pins=PinRules(lengths=(4,), paired_buttons=True))
        code = add_code(device=device, name="Owner", kind="ongoing", pin=Secret("1386"))
        settle(device)
        engine.put_behind_our_back(device, "1", "2475")
        engine.look_at_everything(device)
        assert own(code).status == Pin.Status.SET

    def test_digits_that_only_begin_alike_are_not(self, make) -> None:
        device = make(factories.PLAIN, pins=PinRules(lengths=(6,), unique_first=4))
        code = add_code(device=device, name="Owner", kind="ongoing", pin=Secret("138624"))
        settle(device)
        engine.put_behind_our_back(device, "1", "138659")
        engine.look_at_everything(device)
        assert own(code).status != Pin.Status.SET

    def test_two_stays_may_plan_the_same_and_the_second_waits_for_the_first_to_leave(self, make) -> None:
        device = make(factories.PLAIN)
        at = timezone.now()
        first = guest(device, "First", pin=Secret("4837"), ends_at=at + timedelta(hours=3))
        second = guest(
            device, "Second", starts=timedelta(hours=3, minutes=20), pin=Secret("4837"), ends_at=at + timedelta(days=1)
        )
        settle(device)
        with later(hours=2, minutes=30):
            settle(device)
            assert own(first).status == Pin.Status.SET
            assert own(second).status == Pin.Status.PLANNED
        with later(hours=3, minutes=5):
            settle(device)
            assert own(second).status == Pin.Status.SET

    def test_an_addressing_the_lock_does_not_know_is_never_used(self, make) -> None:
        device = make(factories.CLOUD)
        assert device.caps.addressing == Addressing.CODE_ID
        guest(device)
        settle(device)
        assert Pin.objects.get().slot is None


def test_a_guests_refusal_is_pressing_until_the_lock_was_read_and_a_spares_is_not(device: Device) -> None:
    fault(device, "reject_set")
    guest(device)
    held = held_before(device, "put")
    assert held.call.pressing and not held.call.refused
    read = held.steps.send(perform(held.call))
    assert (read.operation, read.pressing, read.refused) == ("read", True, True)
    spare = factories.PinFactory(device=factories.DeviceFactory(), priority=Pin.Priority.SPARE)
    assert not held_before(spare.device, "put").call.pressing


def test_once_the_guest_is_covered_what_is_still_to_be_done_is_not_pressing(device: Device) -> None:
    leaves = guest(device)
    settle(device)
    guest(device)
    Pin.objects.filter(code_pin__code=leaves).update(wanted=Pin.Wanted.ABSENT)
    fault(device, "reject_set")
    held = held_before(device, "remove")
    assert not held.call.pressing and not held.call.refused


def test_what_a_lock_took_is_not_pressing_any_more(device: Device) -> None:
    guest(device)
    held = held_before(device, "put")
    read = held.steps.send(perform(held.call))
    assert (read.operation, read.pressing, read.refused) == ("read", False, False)
