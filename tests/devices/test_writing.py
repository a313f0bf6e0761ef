"""Putting a PIN on a lock: only into what was just read as empty, and believed only when read back."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from codes.services import add_code, change_code
from devices.models import Device, Event, Hub, Pin, Property, SimulatedLock
from devices.providers.base import (
    Addressing,
    NoAnswer,
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
from portal.secret import Secret
from tests import engine, factories
from tests.engine import fault, guest, held_before, later, own, settle, truth


@pytest.fixture
def make(place: Property, hub: Hub):
    """Locks without a pool, so that a guest's PIN is all there is."""

    def lock(caps=factories.MODERN, **changes) -> Device:
        return factories.DeviceFactory(property=place, hub=hub, caps=replace(caps, backup_pool=False, **changes))

    return lock


@pytest.fixture
def device(make) -> Device:
    return make()


def digits(code) -> str:
    return own(code).secret.reveal()


def extend(code, **by: float) -> None:
    code.refresh_from_db()
    change_code(code, name=code.name, starts_at=code.starts_at, ends_at=code.ends_at + timedelta(**by))


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
