"""The simulated lock: its own truth, every fault in it, and what it tells a caller of both."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier
from unittest.mock import patch

import pytest
import time_machine

from devices.models import Device, SimulatedLock
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
from devices.providers.simulator import SimulatorProvider, contents, opens
from portal.secret import Secret
from tests import factories
from tests.factories import CLOUD, MODERN, PLAIN, TINY, UNREADABLE

Fault = SimulatedLock.Fault
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
STAY = Window(NOON, NOON + timedelta(days=2))


class Rig:
    """A provider, one lock of its hub, and the truth about that lock."""

    def __init__(self, caps: Capabilities = MODERN) -> None:
        self.device: Device = factories.DeviceFactory(caps=caps)
        self.provider = SimulatorProvider(self.device.hub)
        self.ref = self.device.lock_ref
        self.caps = caps

    @property
    def row(self) -> SimulatedLock:
        return SimulatedLock.objects.get(lock_ref=self.ref)

    def set(self, **fields: object) -> None:
        SimulatedLock.objects.filter(lock_ref=self.ref).update(**fields)

    @property
    def truth(self) -> dict[str, str]:
        return {true.place: true.pin.reveal() for true in contents(self.row)}

    def put(self, handle: Handle, digits: str, window: Window = ALWAYS, *, deadline: float = 5):
        return self.provider.put(self.ref, handle, Secret(digits), "Guest 7F3A", window, deadline=deadline)

    def remove(self, handle: Handle):
        return self.provider.remove(self.ref, handle, deadline=5)

    def read(self, handle: Handle, *, deadline: float = 5):
        return self.provider.read(self.ref, handle, deadline=deadline)

    def read_all(self):
        return self.provider.read_all(self.ref, deadline=5)


@pytest.fixture
def rig(db: None) -> Rig:
    rig = Rig()
    rig.put(Slot(3), "7391")
    return rig


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
HELD, WITH_NEW, EMPTY = {"3": "7391"}, {"3": "7391", "4": "4207"}, {}
WRITES = [
    (Fault.NONE, Result.CONFIRMED, None, WITH_NEW, Result.CONFIRMED, None, EMPTY),
    (Fault.UNREACHABLE, Result.UNREACHABLE, None, HELD, Result.UNREACHABLE, None, HELD),
    (Fault.MUTE, Result.UNKNOWN, None, HELD, Result.UNKNOWN, None, HELD),
    (Fault.APPLY_THEN_SILENT, Result.UNKNOWN, None, WITH_NEW, Result.UNKNOWN, None, EMPTY),
    (Fault.LATE, Result.UNKNOWN, None, HELD, Result.UNKNOWN, None, HELD),
    (Fault.REJECT_SET, Result.REJECTED, Reason.UNSPECIFIED, HELD, Result.REJECTED, Reason.UNSPECIFIED, HELD),
    (Fault.REJECT_DUPLICATE, Result.CONFIRMED, None, WITH_NEW, Result.CONFIRMED, None, EMPTY),
    (Fault.FULL, Result.REJECTED, Reason.FULL, HELD, Result.CONFIRMED, None, EMPTY),
    (Fault.IGNORE_SET, Result.CONFIRMED, None, HELD, Result.CONFIRMED, None, HELD),
    (Fault.MASK_CODES, Result.CONFIRMED, None, WITH_NEW, Result.CONFIRMED, None, EMPTY),
]
READS = [
    (Fault.NONE, Seen.CODE, None),
    (Fault.UNREACHABLE, Seen.NO_ANSWER, Unreachable),
    (Fault.MUTE, Seen.NO_ANSWER, NoAnswer),
    (Fault.APPLY_THEN_SILENT, Seen.CODE, None),
    (Fault.LATE, Seen.CODE, None),
    (Fault.REJECT_SET, Seen.CODE, None),
    (Fault.REJECT_DUPLICATE, Seen.CODE, None),
    (Fault.FULL, Seen.CODE, None),
    (Fault.IGNORE_SET, Seen.CODE, None),
    (Fault.MASK_CODES, Seen.MASKED, None),
]


def test_every_fault_is_in_the_tables() -> None:
    assert [row[0] for row in WRITES] == [row[0] for row in READS] == list(Fault)


class TestFaults:
    @pytest.mark.parametrize(("fault", "result", "reason", "truth"), [row[:4] for row in WRITES])
    def test_put(self, rig: Rig, fault: str, result: Result, reason: Reason | None, truth: dict) -> None:
        rig.set(fault=fault, late_ms=60_000)
        outcome = rig.put(Slot(4), "4207")
        assert (outcome.result, outcome.reason) == (result, reason)
        assert rig.truth == truth

    @pytest.mark.parametrize(("fault", "result", "reason", "truth"), [(row[0], *row[4:]) for row in WRITES])
    def test_remove(self, rig: Rig, fault: str, result: Result, reason: Reason | None, truth: dict) -> None:
        rig.set(fault=fault, late_ms=60_000)
        outcome = rig.remove(Slot(3))
        assert (outcome.result, outcome.reason) == (result, reason)
        assert rig.truth == truth

    @pytest.mark.parametrize(("fault", "seen", "error"), READS)
    def test_read(self, rig: Rig, fault: str, seen: Seen, error: type[Exception] | None) -> None:
        rig.set(fault=fault)
        assert rig.read(Slot(3)).seen is seen
        assert rig.read(Slot(4)).seen is (Seen.NO_ANSWER if error else Seen.EMPTY)

    @pytest.mark.parametrize(("fault", "seen", "error"), READS)
    def test_read_all(self, rig: Rig, fault: str, seen: Seen, error: type[Exception] | None) -> None:
        rig.set(fault=fault)
        if error:
            with pytest.raises(error):
                rig.read_all()
        else:
            assert [(each.seen, each.label) for each in rig.read_all()] == [(seen, "Guest 7F3A")]

    @pytest.mark.parametrize(("fault", "seen", "error"), READS)
    def test_health_and_capabilities(self, rig: Rig, fault: str, seen: Seen, error: type[Exception] | None) -> None:
        rig.set(fault=fault)
        calls: list[Callable[[], object]] = [
            lambda: rig.provider.health(rig.ref, deadline=5).online,
            lambda: rig.provider.capabilities(rig.ref, deadline=5),
        ]
        for call in calls:
            if error:
                with pytest.raises(error):
                    call()
            else:
                assert call()

    @pytest.mark.parametrize("fault", Fault)
    def test_a_lock_with_a_fault_is_still_listed(self, rig: Rig, fault: str) -> None:
        rig.set(fault=fault)
        assert [found.lock_ref for found in rig.provider.discover(deadline=5)] == [rig.ref]

    def test_a_duplicate_is_refused(self, rig: Rig) -> None:
        rig.set(fault=Fault.REJECT_DUPLICATE)
        assert rig.put(Slot(4), "7391").reason is Reason.DUPLICATE
        assert rig.put(Slot(3), "7391").result is Result.CONFIRMED

    def test_a_full_lock_still_changes_what_it_has(self, rig: Rig) -> None:
        rig.set(fault=Fault.FULL)
        assert rig.put(Slot(3), "4207").result is Result.CONFIRMED

    def test_a_lie_about_a_new_id_stores_nothing(self, db: None) -> None:
        rig = Rig(CLOUD)
        rig.set(fault=Fault.IGNORE_SET)
        outcome = rig.put(CodeId(), "4207")
        assert outcome.result is Result.CONFIRMED
        assert rig.read(CodeId(outcome.code_id)).seen is Seen.EMPTY

    def test_silence_brings_no_id(self, db: None) -> None:
        rig = Rig(CLOUD)
        rig.set(fault=Fault.APPLY_THEN_SILENT)
        assert rig.put(CodeId(), "4207").code_id == ""
        assert list(rig.truth.values()) == ["4207"]

    def test_silence_does_not_hide_that_a_lock_obeys_its_rules(self, rig: Rig) -> None:
        rig.set(fault=Fault.APPLY_THEN_SILENT)
        assert rig.put(Slot(4), "7391").result is Result.UNKNOWN
        assert rig.truth == HELD


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


class TestTwoWriters:
    @staticmethod
    def cut_short(rig: Rig, deadline: float) -> None:
        """A call whose process is killed while it waits."""
        with patch.object(simulator, "sleep", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
            rig.put(Slot(4), "4207", deadline=deadline)

    def test_one_after_another_are_none(self, rig: Rig) -> None:
        rig.put(Slot(4), "4207")
        rig.remove(Slot(4))
        assert (rig.row.two_writers, rig.row.writer) == (0, "")

    @pytest.mark.parametrize("fault", [Fault.NONE, Fault.MUTE, Fault.LATE])
    def test_one_that_comes_in_between_is_counted(self, rig: Rig, fault: str) -> None:
        rig.set(fault=fault)

        def meanwhile(seconds: float) -> None:
            with patch.object(simulator, "sleep"):
                rig.remove(Slot(9))

        with patch.object(simulator, "sleep", meanwhile):
            rig.put(Slot(4), "4207")
        assert rig.row.two_writers == 1

    def test_a_read_in_between_is_no_writer(self, rig: Rig) -> None:
        def meanwhile(seconds: float) -> None:
            with patch.object(simulator, "sleep"):
                rig.read(Slot(3))

        with patch.object(simulator, "sleep", meanwhile):
            rig.put(Slot(4), "4207")
        assert rig.row.two_writers == 0

    @pytest.mark.parametrize(("deadline", "counts_for"), [(20, 25), (300, 60)])
    def test_a_killed_writers_mark_expires(self, rig: Rig, deadline: float, counts_for: float) -> None:
        with time_machine.travel(NOON, tick=False) as clock:
            self.cut_short(rig, deadline)
            clock.shift(counts_for)
            rig.put(Slot(5), "8250")
            assert rig.row.two_writers == 0

    @pytest.mark.parametrize(("deadline", "counts_for"), [(20, 25), (300, 60)])
    def test_until_then_it_counts(self, rig: Rig, deadline: float, counts_for: float) -> None:
        with time_machine.travel(NOON, tick=False) as clock:
            self.cut_short(rig, deadline)
            clock.shift(counts_for - 1)
            rig.put(Slot(5), "8250")
            assert rig.row.two_writers == 1

    def test_an_unreachable_lock_has_no_writer(self, rig: Rig) -> None:
        rig.set(fault=Fault.UNREACHABLE)
        self.cut_short(rig, 20)
        assert rig.row.writer == ""
        assert rig.row.writes == 1  # the fixture's


@pytest.mark.django_db(transaction=True)
class TestThreads:
    """A runner calls from its pool; the database sees one connection more, whatever the pool's size."""

    def test_twenty_threads_on_twenty_locks(self) -> None:
        hub = factories.HubFactory()
        devices = factories.DeviceFactory.create_batch(20, hub=hub)
        SimulatedLock.objects.update(latency_ms=50)
        provider = SimulatorProvider(hub)
        together = Barrier(20)

        def turn(device: Device) -> tuple[Result, Seen]:
            together.wait(timeout=10)
            result = provider.put(device.lock_ref, Slot(1), Secret("4207"), "", ALWAYS, deadline=5).result
            return result, provider.read(device.lock_ref, Slot(1), deadline=5).seen

        with ThreadPoolExecutor(20) as pool:
            assert set(pool.map(turn, devices)) == {(Result.CONFIRMED, Seen.CODE)}
        assert not SimulatedLock.objects.filter(two_writers__gt=0).exists()
        assert not SimulatedLock.objects.exclude(writer="").exists()

    def test_two_threads_on_one_lock_are_two_writers(self) -> None:
        rig = Rig()
        rig.set(latency_ms=100)
        with ThreadPoolExecutor(2) as pool:
            results = pool.map(lambda slot: rig.put(Slot(slot), f"420{slot}").result, [1, 2])
            assert list(results) == [Result.CONFIRMED] * 2
        assert rig.row.two_writers == 1
        assert rig.truth == {"1": "4201", "2": "4202"}

    def test_an_error_reaches_the_calling_thread(self) -> None:
        rig = Rig()
        rig.set(fault=Fault.UNREACHABLE)
        with ThreadPoolExecutor(1) as pool, pytest.raises(Unreachable):
            pool.submit(rig.read_all).result()
