"""Writes that land after their caller gave up, met its deadline or was killed."""

from unittest.mock import patch

import pytest
import time_machine

from devices.providers import simulator
from devices.providers.base import (
    CodeId,
    NoAnswer,
    Result,
    Seen,
    Slot,
)
from devices.providers.simulator import opens
from tests.devices.rig import HELD, NOON, WITH_NEW, Fault, Rig
from tests.factories import CLOUD


class TestLate:
    """A write that got no answer lands later, by whatever touches the lock after that."""

    @pytest.fixture
    def rig(self, db: None) -> Rig:
        rig = Rig()
        rig.set(fault=Fault.LATE, late_ms=20_000)
        return rig

    def test_it_lands_when_its_time_has_come(self, rig: Rig) -> None:
        with time_machine.travel(NOON, tick=False) as clock:
            assert rig.put(Slot(4), "4207").result is Result.UNKNOWN
            clock.shift(19)
            assert rig.read(Slot(4)).seen is Seen.EMPTY
            clock.shift(1)
            assert rig.read(Slot(4)).seen is Seen.CODE

    def test_the_door_opens_from_then_on(self, rig: Rig) -> None:
        with time_machine.travel(NOON, tick=False) as clock:
            rig.put(Slot(4), "4207")
            assert not opens(rig.row, "4207", NOON)
            clock.shift(20)
            assert opens(rig.row, "4207", NOON)

    def test_healing_does_not_call_it_back(self, rig: Rig) -> None:
        with time_machine.travel(NOON, tick=False) as clock:
            rig.put(Slot(4), "4207")
            rig.set(fault=Fault.NONE)
            clock.shift(20)
            assert rig.truth == {"4": "4207"}

    def test_a_late_removal_takes_what_came_in_between(self, rig: Rig) -> None:
        with time_machine.travel(NOON, tick=False) as clock:
            rig.remove(Slot(4))
            rig.set(fault=Fault.NONE)
            rig.put(Slot(4), "4207")
            clock.shift(20)
            assert rig.truth == {}

    def test_late_writes_land_in_their_order(self, rig: Rig) -> None:
        with time_machine.travel(NOON, tick=False) as clock:
            rig.put(Slot(4), "4207")
            clock.shift(1)
            rig.put(Slot(4), "8250")
            clock.shift(30)
            assert rig.truth == {"4": "8250"}

    def test_the_lock_refuses_it_if_its_digits_came_otherwise(self, rig: Rig) -> None:
        with time_machine.travel(NOON, tick=False) as clock:
            rig.put(Slot(4), "4207")
            rig.set(fault=Fault.NONE)
            rig.put(Slot(5), "4207")
            clock.shift(20)
            assert rig.truth == {"5": "4207"}
            assert rig.row.pending == []

    def test_two_late_codes_of_a_cloud_get_ids_of_their_own(self, db: None) -> None:
        rig = Rig(CLOUD)
        rig.set(fault=Fault.LATE, late_ms=1000)
        with time_machine.travel(NOON, tick=False) as clock:
            rig.put(CodeId(), "4207")
            rig.put(CodeId(), "8250")
            clock.shift(1)
            assert sorted(rig.truth.values()) == ["4207", "8250"]


class TestLatency:
    @pytest.fixture
    def slept(self) -> list[float]:
        return []

    @pytest.fixture
    def rig(self, rig: Rig, slept: list[float], monkeypatch: pytest.MonkeyPatch) -> Rig:
        monkeypatch.setattr(simulator, "sleep", slept.append)
        rig.set(latency_ms=8000)
        return rig

    def test_every_call_takes_it(self, rig: Rig, slept: list[float]) -> None:
        assert rig.put(Slot(4), "4207", deadline=20).result is Result.CONFIRMED
        assert rig.read(Slot(4), deadline=20).seen is Seen.CODE
        assert slept == [8, 8]

    def test_none_lasts_longer_than_its_deadline(self, rig: Rig, slept: list[float]) -> None:
        assert rig.put(Slot(4), "4207").result is Result.UNKNOWN
        assert rig.read(Slot(3)).seen is Seen.NO_ANSWER
        with pytest.raises(NoAnswer):
            rig.read_all()
        assert slept == [5, 5, 5]

    def test_a_write_past_its_deadline_lands(self, rig: Rig) -> None:
        with time_machine.travel(NOON, tick=False) as clock:
            rig.put(Slot(4), "4207")
            assert rig.truth == HELD
            clock.shift(8)
            assert rig.truth == WITH_NEW

    @pytest.mark.parametrize("fault", [Fault.MUTE, Fault.REJECT_SET, Fault.IGNORE_SET, Fault.FULL])
    def test_a_write_that_never_lands_does_not_past_its_deadline(self, rig: Rig, fault: str) -> None:
        rig.set(fault=fault)
        with time_machine.travel(NOON, tick=False) as clock:
            assert rig.put(Slot(4), "4207").result is Result.UNKNOWN
            clock.shift(60)
            assert rig.truth == HELD

    def test_an_answered_write_does_not_land_again(self, rig: Rig) -> None:
        with time_machine.travel(NOON, tick=False) as clock:
            rig.put(Slot(4), "4207", deadline=20)
            assert rig.row.pending == []
            rig.set(latency_ms=0)
            rig.remove(Slot(4))
            clock.shift(60)
            assert rig.truth == HELD

    def test_a_killed_callers_write_lands_all_the_same(self, rig: Rig) -> None:
        with time_machine.travel(NOON, tick=False) as clock:
            with patch.object(simulator, "sleep", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
                rig.put(Slot(4), "4207", deadline=20)
            assert rig.truth == HELD
            clock.shift(8)
            assert rig.truth == WITH_NEW
