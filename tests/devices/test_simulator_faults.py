"""Every operation of a simulated lock under every fault: what it says, and what is on it then."""

from collections.abc import Callable

import pytest

from devices.providers.base import (
    CodeId,
    NoAnswer,
    Reason,
    Result,
    Seen,
    Slot,
    Unreachable,
)
from tests.devices.rig import HELD, WITH_NEW, Fault, Rig
from tests.factories import CLOUD

EMPTY: dict[str, str] = {}
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
