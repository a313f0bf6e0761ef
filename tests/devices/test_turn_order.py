"""Who comes first in a lock's turn, and when that turn ends."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from codes.services import add_code, cancel_code
from devices.models import Device, Hub, Pin, Property, SimulatedLock
from devices.programming import turn
from devices.programming.plan import Action, next_job
from devices.providers.base import NoAnswer, ReadBack
from tests import engine, factories
from tests.engine import fault, guest, held_before, later, own, settle, truth

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def bare(place: Property, hub: Hub) -> Device:
    return factories.DeviceFactory(property=place, hub=hub, caps=replace(factories.MODERN, backup_pool=False))


def pin(device: Device, label: str, *, starts: float | None = None, **fields) -> Pin:
    begins = None if starts is None else NOW + timedelta(hours=starts)
    return factories.PinFactory(device=device, label=label, wanted_from=begins, **fields)


def order(pins: list[Pin], *, room: bool = True) -> list[str]:
    done: set[int] = set()
    labels = []
    while job := next_job(pins, NOW, done, room=room):
        done.add(job.pin.pk)
        labels.append(job.pin.label)
    return labels


def cast(device: Device) -> list[Pin]:
    return [
        pin(device, "spare", priority=Pin.Priority.SPARE),
        pin(device, "in two days", starts=48),
        pin(device, "leaving", status=Pin.Status.SET, slot=1, wanted=Pin.Wanted.ABSENT),
        pin(device, "tonight", starts=6),
        pin(device, "staying", starts=-6),
    ]


def test_guests_who_stay_or_arrive_then_removals_then_other_guests_then_spares(bare: Device) -> None:
    assert order(cast(bare)) == ["staying", "tonight", "leaving", "in two days", "spare"]


def test_removals_first_on_a_lock_without_room(bare: Device) -> None:
    assert order(cast(bare), room=False)[0] == "leaving"


def test_what_rests_is_left_alone(bare: Device) -> None:
    resting = pin(bare, "resting", starts=-1, next_attempt_at=NOW + timedelta(minutes=1))
    assert order([resting]) == []


def test_a_tolerated_pin_nobody_is_sure_of_is_only_read(bare: Device) -> None:
    tolerated = pin(bare, "seen by the guest", status=Pin.Status.UNKNOWN, wanted=Pin.Wanted.TOLERATED)
    assert next_job([tolerated], NOW, set(), room=True).action == Action.READ


@pytest.mark.parametrize("status", [Pin.Status.PLANNED, Pin.Status.GONE, Pin.Status.REMOVED])
def test_a_tolerated_pin_that_is_not_there_is_never_written(bare: Device, status: Pin.Status) -> None:
    assert order([pin(bare, "seen", status=status, wanted=Pin.Wanted.TOLERATED)]) == []


def test_a_tolerated_pin_leaves_at_checkout(bare: Device) -> None:
    over = pin(
        bare,
        "seen",
        status=Pin.Status.SET,
        slot=1,
        wanted=Pin.Wanted.TOLERATED,
        wanted_until=NOW,
        starts=-48,
    )
    assert next_job([over], NOW, set(), room=True).action == Action.REMOVE


def test_a_turn_ends_at_the_first_no_answer(bare: Device) -> None:
    for n in range(3):
        guest(bare, f"Guest {n}")
    held_before(bare, "put").finish(error=NoAnswer("lost"))
    assert Pin.objects.filter(status=Pin.Status.PLANNED).count() == 2
    bare.refresh_from_db()
    assert bare.next_sync_at <= engine.timezone.now()  # it did answer the read after that: it is not silent


def test_a_silent_lock_is_asked_no_second_question_but_for_its_health(bare: Device) -> None:
    for n in range(3):
        guest(bare, f"Guest {n}")
    fault(bare, "mute")
    engine.turn(bare)
    lock = SimulatedLock.objects.get()
    assert (lock.reads, lock.writes) == (1, 0)


def test_a_turn_ends_after_a_minute_and_goes_on_in_the_next(bare: Device) -> None:
    codes = [guest(bare, f"Guest {n}") for n in range(3)]
    with time_machine.travel(engine.timezone.now(), tick=False) as clock:
        held = held_before(bare, "put")
        answer = engine.perform(held.call)
        clock.shift(61)
        held.finish(answer)
        bare.refresh_from_db()
        assert bare.lease_token is None
        assert Pin.objects.filter(status=Pin.Status.PLANNED).count() == 2
        settle(bare)
    assert all(own(code).status == Pin.Status.SET for code in codes)


def test_a_pin_added_during_the_turn_is_set_in_it(bare: Device) -> None:
    guest(bare, "First")
    held = held_before(bare, "put")
    second = guest(bare, "Second")
    held.finish()
    assert own(second).status == Pin.Status.SET


def test_a_code_cancelled_during_its_write_ends_off_the_lock(bare: Device) -> None:
    code = guest(bare)
    held = held_before(bare, "put")
    cancel_code(code)
    held.finish()
    settle(bare)
    assert own(code).status == Pin.Status.REMOVED
    assert truth(bare) == {}


class TestTheNextTurn:
    def due(self, device: Device) -> datetime:
        device.refresh_from_db()
        return device.next_sync_at

    def test_is_due_when_a_stay_ends(self, bare: Device) -> None:
        code = guest(bare, ends_at=engine.timezone.now() + timedelta(hours=2))
        settle(bare)
        assert self.due(bare) == code.ends_at

    def test_is_due_when_a_stays_pin_is_to_be_programmed(self, bare: Device) -> None:
        code = guest(bare, starts=timedelta(hours=75))
        settle(bare)
        assert self.due(bare) == own(code).program_at

    def test_is_due_at_a_retry(self, bare: Device) -> None:
        fault(bare, "ignore_set")
        code = guest(bare)
        settle(bare)
        assert self.due(bare) == min(own(code).next_attempt_at, own(code).give_up_at)

    def test_is_due_in_six_hours_when_there_is_nothing_to_do(self, bare: Device) -> None:
        add_code(device=bare, name="Owner", kind="ongoing")
        settle(bare)
        assert self.due(bare) == bare.read_at + timedelta(hours=6)


class TestAFullFiveSlotLock:
    @pytest.fixture
    def tiny(self, place: Property, hub: Hub) -> Device:
        return factories.DeviceFactory(property=place, hub=hub, caps=replace(factories.TINY, backup_pool=False))

    def test_turns_over_within_an_hour(self, tiny: Device) -> None:
        """Five guests leave at eleven, five arrive at noon."""
        at = engine.timezone.now()
        leaving = [
            guest(tiny, f"Leaving {n}", starts=timedelta(days=-1), ends_at=at + timedelta(hours=1)) for n in range(5)
        ]
        settle(tiny, turns=30)
        arriving = [guest(tiny, f"Arriving {n}", starts=timedelta(hours=2)) for n in range(5)]
        with later(hours=1, minutes=1):  # the newcomers' hour ahead has begun already, and the lock is full
            settle(tiny, turns=30)
            assert set(truth(tiny).values()) == {own(code).secret.reveal() for code in arriving}
            assert all(own(code).status == Pin.Status.REMOVED for code in leaving)

    def test_turns_over_though_the_last_ones_leave_late(self, tiny: Device) -> None:
        at = engine.timezone.now()
        for n in range(5):
            guest(tiny, f"Leaving {n}", starts=timedelta(days=-1), ends_at=at + timedelta(hours=1))
        settle(tiny, turns=30)
        arriving = [guest(tiny, f"Arriving {n}", starts=timedelta(hours=1, minutes=10)) for n in range(5)]
        with later(minutes=30):  # no room yet
            settle(tiny, turns=30)
            assert all(own(code).trouble == Pin.Trouble.FULL for code in arriving)
        with later(hours=1, seconds=1):
            settle(tiny, turns=30)
            assert set(truth(tiny).values()) == {own(code).secret.reveal() for code in arriving}


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The locks whose PINs were read, as often as they were."""
    asked, read = list[object](), turn.IN_HAND
    monkeypatch.setattr(turn, "IN_HAND", lambda device: asked.append(device) or read(device=device))
    return asked


def test_a_turn_in_which_all_goes_as_planned_reads_the_locks_pins_once(bare: Device, reads: list[object]) -> None:
    guest(bare)
    engine.turn(bare)
    assert reads == [bare.pk]


def test_one_in_which_the_lock_refuses_reads_them_again(bare: Device, reads: list[object]) -> None:
    guest(bare)
    fault(bare, "reject_set")
    engine.turn(bare)
    assert len(reads) > 1


def test_a_pin_that_is_set_wakes_the_lock_no_more_at_its_give_up(bare: Device) -> None:
    code = guest(bare, starts=timedelta(hours=3))
    gives_up_at = own(code).give_up_at
    assert gives_up_at is not None
    engine.turn(bare)
    assert own(code).confirmed and own(code).give_up_at is None
    assert bare.next_sync_at is not None and bare.next_sync_at > gives_up_at


def test_one_whose_window_was_cut_on_the_lock_does(place: Property, hub: Hub) -> None:
    """It is there, for a part of its stay; the lock shows no digits, so it is not written over and rests for long."""
    caps = replace(factories.MODERN, read_back=ReadBack.MASKED, backup_pool=False)
    masked = factories.DeviceFactory(property=place, hub=hub, caps=caps)
    code = guest(masked, starts=timedelta(hours=3))
    engine.turn(masked)
    lock, pin = SimulatedLock.objects.get(hub=hub, lock_ref=masked.lock_ref), own(code)
    assert pin.confirmed and pin.wanted_until is not None
    lock.codes[str(pin.slot)]["until"] = (pin.wanted_until - timedelta(hours=30)).isoformat()
    lock.save(update_fields=["codes"])
    engine.look_at_everything(masked)
    pin = own(code)
    assert pin.give_up_at is not None and pin.next_attempt_at is not None and pin.give_up_at < pin.next_attempt_at
    assert masked.next_sync_at == pin.give_up_at
