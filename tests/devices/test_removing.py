"""Taking a PIN off: "removed" is said only after the lock itself read as empty, and no copy is left."""

from dataclasses import replace
from datetime import timedelta

import pytest

from codes.services import cancel_code
from devices.models import Device, Event, Hub, Pin, Property, SimulatedLock
from devices.providers.base import NoAnswer, Observation, Outcome, ReadBack, Reason, Result, Seen
from tests import engine, factories
from tests.engine import fault, guest, held_before, later, own, settle, truth


@pytest.fixture
def make(place: Property, hub: Hub):
    def lock(caps=factories.PLAIN, **changes) -> Device:
        return factories.DeviceFactory(property=place, hub=hub, caps=replace(caps, backup_pool=False, **changes))

    return lock


@pytest.fixture
def device(make) -> Device:
    return make()


def on_its_way_out(device: Device, **fields):
    code = guest(device, **fields)
    settle(device)
    assert own(code).maybe_on_lock
    cancel_code(code)
    return code


def test_it_is_removed_when_its_place_read_as_empty(device: Device) -> None:
    code = on_its_way_out(device)
    settle(device)
    assert own(code).status == Pin.Status.REMOVED and own(code).removed_at is not None
    assert truth(device) == {}
    assert Event.objects.filter(type=Event.Type.CODE_REMOVED, subject=code.pk).count() == 1


def test_a_pin_that_was_never_sent_is_withdrawn(device: Device) -> None:
    code = guest(device, starts=timedelta(days=9))
    cancel_code(code)
    settle(device)
    assert own(code).status == Pin.Status.WITHDRAWN
    assert SimulatedLock.objects.get().writes == 0


def test_a_yes_that_is_a_lie_is_not_believed(device: Device) -> None:
    code = on_its_way_out(device)
    fault(device, "ignore_set")
    settle(device)
    assert own(code).status == Pin.Status.REMOVING
    assert truth(device) != {}
    fault(device)
    with later(minutes=3):
        settle(device)
    assert own(code).status == Pin.Status.REMOVED and truth(device) == {}


def test_a_refused_removal_may_still_open_the_door(device: Device) -> None:
    code = on_its_way_out(device)
    fault(device, "reject_set")
    settle(device)
    assert own(code).status == Pin.Status.REMOVING and own(code).trouble == Pin.Trouble.REJECTED


def test_a_lost_answer_is_read_back(device: Device) -> None:
    code = on_its_way_out(device)
    fault(device, "apply_then_silent")
    settle(device)
    assert own(code).maybe_on_lock  # the lost one might be followed by nothing, but nobody knows yet
    with later(minutes=1):
        settle(device)
    assert own(code).status == Pin.Status.REMOVED


def test_no_answer_to_the_read_is_never_empty(device: Device) -> None:
    code = on_its_way_out(device)
    held = held_before(device, "remove")
    held.call = held.steps.send(Outcome(Result.CONFIRMED))
    held.finish(Observation(Seen.NO_ANSWER))
    assert own(code).status == Pin.Status.REMOVING


def test_an_offline_lock_keeps_it_on_the_overdue_list_until_it_answers(device: Device) -> None:
    code = on_its_way_out(device)
    fault(device, "unreachable")
    with later(hours=5):
        settle(device)
        pin = own(code)
        assert pin.maybe_on_lock and pin.wanted == Pin.Wanted.ABSENT
    fault(device)
    with later(hours=6):
        settle(device)
        assert own(code).status == Pin.Status.REMOVED


def test_a_killed_worker_leaves_it_as_may_still_open(device: Device) -> None:
    code = on_its_way_out(device)
    held_before(device, "remove")
    engine.lease_runs_out(device)
    assert own(code).status == Pin.Status.REMOVING
    settle(device)
    with later(minutes=1):
        settle(device)
        assert own(code).status == Pin.Status.REMOVED


def test_a_strangers_code_in_its_place_stays(device: Device) -> None:
    code = on_its_way_out(device)
    engine.put_behind_our_back(device, str(own(code).slot), "4711")
    settle(device)
    assert own(code).status == Pin.Status.REMOVED
    assert list(truth(device).values()) == ["4711"]


def test_masked_digits_in_its_place_are_taken_off(make) -> None:
    device = make(read_back=ReadBack.MASKED)
    code = on_its_way_out(device)
    settle(device)
    assert own(code).status == Pin.Status.REMOVED and truth(device) == {}


class TestALockThatCanBeListed:
    def test_is_rid_of_copies_by_digits(self, make) -> None:
        device = make(factories.MODERN)
        code = on_its_way_out(device)
        engine.put_behind_our_back(device, "9", own(code).secret.reveal())
        settle(device)
        with later(minutes=2):
            settle(device)
        assert own(code).status == Pin.Status.REMOVED and truth(device) == {}

    def test_is_rid_of_copies_by_label(self, make) -> None:
        device = make(factories.MODERN)
        code = on_its_way_out(device)
        engine.put_behind_our_back(device, "9", "4711", own(code).label)
        settle(device)
        with later(minutes=2):
            settle(device)
        assert own(code).status == Pin.Status.REMOVED and truth(device) == {}

    def test_never_says_removed_while_a_copy_stays_and_does_not_hammer(self, make) -> None:
        device = make(factories.MODERN)
        code = on_its_way_out(device)
        engine.put_behind_our_back(device, "9", own(code).secret.reveal())
        first = held_before(device, "remove")
        first.finish(always={"remove": Outcome(Result.REJECTED, Reason.UNSPECIFIED)})
        settle(device)
        assert own(code).maybe_on_lock
        fault(device, "ignore_set")
        settle(device, turns=30)
        device.refresh_from_db()
        assert own(code).maybe_on_lock
        assert SimulatedLock.objects.get().writes < 8

    def test_keeps_anothers_code_whose_label_the_lock_cut_to_the_same(self, make) -> None:
        device = make(factories.MODERN, label_length=3)
        leaving = guest(device, "Benjamin")
        staying = guest(device, "Benedict")
        settle(device)
        Pin.objects.update(label="Ben")
        engine.SimulatedLock.objects.get()
        cancel_code(leaving)
        settle(device)
        assert own(staying).secret.reveal() in truth(device).values()
        assert own(leaving).secret.reveal() not in truth(device).values()


class TestALockAddressedByCodeId:
    def test_with_a_known_id_is_emptied(self, make) -> None:
        device = make(factories.CLOUD)
        code = on_its_way_out(device)
        settle(device)
        assert own(code).status == Pin.Status.REMOVED and truth(device) == {}

    def test_whose_id_was_lost_is_found_by_label(self, make) -> None:
        device = make(factories.CLOUD, read_back=ReadBack.MASKED)
        code = guest(device)
        held = held_before(device, "put")
        engine.perform(held.call)
        cancel_code(code)
        engine.lease_runs_out(device)
        with later(minutes=1):
            settle(device)
        assert own(code).status == Pin.Status.REMOVED and truth(device) == {}

    def test_whose_id_was_lost_for_good_stays_listed_as_may_be_on_the_lock(self, make) -> None:
        device = make(factories.CLOUD, read_back=ReadBack.MASKED, label_length=0)
        code = guest(device)
        held = held_before(device, "put")
        engine.perform(held.call)
        cancel_code(code)
        engine.lease_runs_out(device)
        for hours in (1, 8):
            with later(hours=hours):
                settle(device, turns=4)
        assert own(code).maybe_on_lock and truth(device) != {}


def test_an_unreadable_locks_word_is_all_there_is(make) -> None:
    device = make(factories.UNREADABLE)
    code = on_its_way_out(device)
    held_before(device, "remove").finish(error=NoAnswer("lost"))
    assert own(code).maybe_on_lock
    with later(minutes=2):
        settle(device)
    assert own(code).status == Pin.Status.REMOVED and truth(device) == {}


def test_removal_retries_start_over_however_hard_the_writing_was(device: Device) -> None:
    code = on_its_way_out(device)
    Pin.objects.update(attempts=9)
    fault(device, "reject_set")
    engine.turn(device)
    assert own(code).attempts == 1
