"""The simulated lock: its own truth, its rules, and what it tells a caller."""

from dataclasses import replace
from datetime import timedelta
from unittest.mock import patch

import pytest

from devices.providers import simulator
from devices.providers.base import (
    ALWAYS,
    Capabilities,
    CodeId,
    Handle,
    NoAnswer,
    PinRules,
    ReadBack,
    Reason,
    Result,
    Seen,
    Slot,
    Unreachable,
    Window,
)
from devices.providers.simulator import SimulatorProvider, opens
from portal.secret import Secret
from tests import factories
from tests.devices.rig import NOON, WITH_NEW, Fault, Rig
from tests.factories import CLOUD, MODERN, PLAIN, TINY, UNREADABLE

STAY = Window(NOON, NOON + timedelta(days=2))


class TestHealthy:
    def test_what_is_put_is_read_back(self, rig: Rig) -> None:
        assert rig.put(Slot(4), "4207", STAY).result is Result.CONFIRMED
        seen = rig.read(Slot(4))
        assert (seen.seen, seen.handle, seen.pin, seen.label, seen.window) == (
            Seen.CODE,
            Slot(4),
            Secret("4207"),
            "Guest 7F3A",
            STAY,
        )
        assert [each.handle for each in rig.read_all()] == [Slot(3), Slot(4)]

    def test_a_fault_that_was_switched_after_a_read_counts_for_the_write(self, rig: Rig) -> None:
        assert rig.read(Slot(4)).seen is Seen.EMPTY
        rig.set(fault=Fault.REJECT_SET)
        assert rig.put(Slot(4), "4207").result is Result.REJECTED

    def test_what_somebody_else_wrote_after_a_read_stays(self, rig: Rig) -> None:
        assert rig.read(Slot(4)).seen is Seen.EMPTY
        SimulatorProvider(rig.device.hub).put(rig.ref, Slot(5), Secret("8250"), "", ALWAYS, deadline=5)
        assert rig.put(Slot(4), "4207").result is Result.CONFIRMED
        assert rig.truth == WITH_NEW | {"5": "8250"}

    def test_an_empty_place_is_empty(self, rig: Rig) -> None:
        assert rig.read(Slot(4)).seen is Seen.EMPTY

    def test_what_is_removed_is_gone(self, rig: Rig) -> None:
        assert rig.remove(Slot(3)).result is Result.CONFIRMED
        assert rig.remove(Slot(3)).result is Result.CONFIRMED
        assert rig.truth == {}
        assert rig.read(Slot(3)).seen is Seen.EMPTY

    def test_a_slot_is_overwritten(self, rig: Rig) -> None:
        rig.put(Slot(3), "4207")
        assert rig.truth == {"3": "4207"}
        assert rig.put(Slot(3), "4207").result is Result.CONFIRMED

    def test_pins_are_sealed_in_the_table(self, rig: Rig) -> None:
        assert "7391" not in str(rig.row.codes)

    def test_its_locks_are_found(self, rig: Rig) -> None:
        factories.DeviceFactory()  # of another hub
        (found,) = rig.provider.discover(deadline=5)
        assert (found.lock_ref, found.capabilities, found.battery) == (rig.ref, MODERN, 80)
        assert rig.provider.capabilities(rig.ref, deadline=5) == MODERN
        assert rig.provider.health(rig.ref, deadline=5).battery == 80

    def test_a_longer_latency_counts_from_the_next_read_on_and_a_shorter_one_a_read_later(self, rig: Rig) -> None:
        waited: list[float] = []
        with patch.object(simulator, "sleep", waited.append):
            for latency in (0, 40, 40, 0, 0, 70):
                rig.set(latency_ms=latency)
                rig.read(Slot(3))
        assert waited == [0.04, 0.04, 0.04, 0.07]
        assert rig.row.reads == 6

    def test_a_latency_that_grows_while_it_is_waited_for_is_waited_for_in_full(self, rig: Rig) -> None:
        waited: list[float] = []

        def longer(seconds: float) -> None:
            waited.append(seconds)
            rig.set(latency_ms=90)

        rig.set(latency_ms=40)
        with patch.object(simulator, "sleep", longer):
            assert rig.read(Slot(3)).seen is Seen.CODE
        assert waited == [0.04, pytest.approx(0.05)]
        assert rig.row.reads == 1

    def test_reads_and_writes_are_counted(self, rig: Rig) -> None:
        rig.read(Slot(3))
        rig.provider.health(rig.ref, deadline=5)
        assert (rig.row.writes, rig.row.reads) == (1, 1)

    def test_a_lock_the_hub_does_not_know_is_unreachable(self, rig: Rig) -> None:
        rig.ref = "no such lock"
        assert rig.put(Slot(1), "4207").result is Result.UNREACHABLE
        assert rig.read(Slot(1)).seen is Seen.NO_ANSWER
        with pytest.raises(Unreachable):
            rig.read_all()


class TestRules:
    """What a lock refuses with no fault at all."""

    @pytest.mark.parametrize(
        ("slot", "digits", "reason"),
        [
            (4, "7391", Reason.DUPLICATE),
            (4, "42", Reason.INVALID),
            (0, "4207", Reason.INVALID),
            (31, "4207", Reason.INVALID),
        ],
    )
    def test_it_refuses(self, rig: Rig, slot: int, digits: str, reason: Reason) -> None:
        outcome = rig.put(Slot(slot), digits)
        assert (outcome.result, outcome.reason) == (Result.REJECTED, reason)
        assert rig.truth == {"3": "7391"}

    def test_buttons_shared_by_two_digits_make_a_duplicate(self, db: None) -> None:
        rig = Rig(replace(MODERN, pins=PinRules(paired_buttons=True)))
        rig.put(Slot(1), "1357")
        assert rig.put(Slot(2), "2468").reason is Reason.DUPLICATE

    def test_codes_of_one_length_only(self, db: None) -> None:
        rig = Rig(replace(MODERN, pins=PinRules(one_length=True)))
        rig.put(Slot(1), "42071")
        assert rig.put(Slot(2), "8250").reason is Reason.INVALID
        assert rig.put(Slot(1), "8250").result is Result.CONFIRMED  # the only code may change its length

    def test_a_sixth_code_does_not_fit_into_five_places(self, db: None) -> None:
        rig = Rig(replace(CLOUD, slots=5))
        for n in range(5):
            rig.put(CodeId(), f"420{n}")
        assert rig.put(CodeId(), "8250").reason is Reason.FULL
        assert len(rig.truth) == 5

    def test_a_lock_counts_its_slots_from_its_first(self, db: None) -> None:
        rig = Rig(replace(TINY, first_slot=0))
        assert rig.put(Slot(0), "4207").result is Result.CONFIRMED
        assert rig.put(Slot(5), "8250").reason is Reason.INVALID

    @pytest.mark.parametrize(("caps", "handle"), [(MODERN, CodeId()), (CLOUD, Slot(1))])
    def test_the_wrong_kind_of_place_is_unsupported(self, db: None, caps: Capabilities, handle: Handle) -> None:
        rig = Rig(caps)
        assert rig.put(handle, "4207").reason is Reason.UNSUPPORTED
        assert rig.remove(handle).reason is Reason.UNSUPPORTED
        assert rig.read(handle).seen is Seen.NO_ANSWER


class TestMakes:
    """What capabilities make of the same calls."""

    def test_a_cloud_gives_ids(self, db: None) -> None:
        rig = Rig(CLOUD)
        code_id = rig.put(CodeId(), "4207").code_id
        other_id = rig.put(CodeId(), "8250").code_id
        assert code_id != other_id
        assert rig.put(CodeId(code_id), "7391").code_id == code_id
        assert rig.truth == {code_id: "7391", other_id: "8250"}
        assert [each.handle for each in rig.read_all()] == [CodeId(code_id), CodeId(other_id)]
        rig.remove(CodeId(code_id))
        assert rig.read(CodeId(code_id)).seen is Seen.EMPTY

    def test_a_cloud_does_not_update_what_it_has_not(self, db: None) -> None:
        rig = Rig(CLOUD)
        assert rig.put(CodeId("code-9"), "4207").reason is Reason.UNSPECIFIED
        assert rig.truth == {}

    def test_a_lock_without_schedules_opens_at_any_time(self, db: None) -> None:
        rig = Rig(PLAIN)
        rig.put(Slot(1), "4207", STAY)
        assert rig.read(Slot(1)).window is None
        assert opens(rig.row, "4207", NOON - timedelta(days=9))

    def test_a_lock_with_schedules_opens_in_them(self, rig: Rig) -> None:
        rig.put(Slot(4), "4207", STAY)
        assert not opens(rig.row, "4207", NOON - timedelta(seconds=1))
        assert opens(rig.row, "4207", NOON)
        assert not opens(rig.row, "4207", NOON + timedelta(days=2))
        assert opens(rig.row, "7391", NOON - timedelta(days=99))
        assert not opens(rig.row, "8250", NOON)

    def test_a_shared_button_opens_the_door(self, db: None) -> None:
        rig = Rig(replace(PLAIN, pins=PinRules(paired_buttons=True)))
        rig.put(Slot(1), "1357")
        assert opens(rig.row, "2468", NOON)

    def test_the_first_four_digits_alone_do_not(self, db: None) -> None:
        rig = Rig(replace(PLAIN, pins=PinRules(lengths=(6,), unique_first=4)))
        rig.put(Slot(1), "739184")
        assert not opens(rig.row, "739185", NOON)

    @pytest.mark.parametrize(("length", "label"), [(0, ""), (5, "Guest"), (30, "Guest 7F3A")])
    def test_a_label_is_as_long_as_the_lock_keeps_it(self, db: None, length: int, label: str) -> None:
        rig = Rig(replace(MODERN, label_length=length))
        rig.put(Slot(1), "4207")
        assert rig.read(Slot(1)).label == label

    @pytest.mark.parametrize(("read_back", "label"), [(ReadBack.MASKED, "Guest 7F3A"), (ReadBack.PRESENCE, "")])
    def test_what_hides_digits_shows_presence(self, db: None, read_back: ReadBack, label: str) -> None:
        rig = Rig(replace(MODERN, read_back=read_back))
        rig.put(Slot(1), "4207")
        seen = rig.read(Slot(1))
        assert (seen.seen, seen.pin, seen.label) == (Seen.MASKED, None, label)
        assert rig.read(Slot(2)).seen is Seen.EMPTY
        assert [each.seen for each in rig.read_all()] == [Seen.MASKED]

    def test_what_cannot_be_read_only_accepts(self, db: None) -> None:
        rig = Rig(UNREADABLE)
        assert rig.put(Slot(1), "4207").result is Result.ACCEPTED
        assert rig.read(Slot(1)).seen is Seen.NO_ANSWER
        with pytest.raises(NoAnswer):
            rig.read_all()
        assert rig.remove(Slot(1)).result is Result.ACCEPTED
        assert rig.truth == {}


# What each operation says, and what is on the lock afterwards, by fault. A lock holds 7391 in slot 3 before.
