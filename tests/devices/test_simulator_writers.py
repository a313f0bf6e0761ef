"""Two writers at once are counted, and many threads share one connection."""

import os
import signal
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from unittest.mock import patch

import pytest
import time_machine

from devices.models import Device, SimulatedLock
from devices.providers import simulated_lock, simulator
from devices.providers.base import (
    ALWAYS,
    Outcome,
    Result,
    Seen,
    Slot,
    Unreachable,
)
from devices.providers.simulator import SimulatorProvider
from portal.secret import Secret
from tests import factories
from tests.devices.rig import HELD, NOON, Fault, Rig


class TestTwoWriters:
    @staticmethod
    def cut_short(rig: Rig, deadline: float) -> None:
        """A call whose process is killed while it waits."""
        rig.set(latency_ms=10)
        with patch.object(simulator, "sleep", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
            rig.put(Slot(4), "4207", deadline=deadline)

    def test_one_after_another_are_none(self, rig: Rig) -> None:
        rig.put(Slot(4), "4207")
        rig.remove(Slot(4))
        assert (rig.row.two_writers, rig.row.writer) == (0, "")

    @pytest.mark.parametrize("fault", [Fault.NONE, Fault.MUTE, Fault.LATE])
    def test_one_that_comes_in_between_is_counted(self, rig: Rig, fault: str) -> None:
        rig.set(fault=fault, latency_ms=10)

        def meanwhile(seconds: float) -> None:
            with patch.object(simulator, "sleep"):
                rig.remove(Slot(9))

        with patch.object(simulator, "sleep", meanwhile):
            rig.put(Slot(4), "4207")
        assert rig.row.two_writers == 1

    def test_a_read_in_between_is_no_writer(self, rig: Rig) -> None:
        rig.set(latency_ms=10)

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

    @pytest.mark.parametrize(("meanwhile", "result"), [(None, Result.CONFIRMED), ("4", Result.UNKNOWN)])
    def test_a_message_that_landed_while_its_caller_slept_is_not_sent_again(
        self, rig: Rig, meanwhile: str | None, result: Result
    ) -> None:
        """The caller was stopped after sending. When it wakes the lock has obeyed long ago, and others wrote since."""
        rig.set(latency_ms=2_000)

        def sleeps(seconds: float) -> None:
            clock.shift(60)
            assert rig.truth["4"] == "4207"  # it landed by itself
            if meanwhile:
                with patch.object(simulator, "sleep", lambda seconds: clock.shift(seconds)):
                    rig.remove(Slot(int(meanwhile)))

        with time_machine.travel(NOON, tick=False) as clock, patch.object(simulator, "sleep", sleeps):
            assert rig.put(Slot(4), "4207").result is result
            assert ("4" in rig.truth) is (meanwhile is None)

    def test_an_unreachable_lock_has_no_writer(self, rig: Rig) -> None:
        rig.set(fault=Fault.UNREACHABLE)
        self.cut_short(rig, 20)
        assert rig.row.writer == ""
        assert rig.row.writes == 1  # the fixture's


class TestInTheMomentOfAWrite:
    """Between reading the lock's row and writing it back somebody else does something to it."""

    @staticmethod
    def put_while(rig: Rig, meanwhile: Callable[[], object]) -> Outcome:
        obey, left = simulated_lock.obey, [meanwhile]

        def first(lock: SimulatedLock, write: simulated_lock.Write) -> Outcome:
            if left:
                left.pop()()
            return obey(lock, write)

        with patch.object(simulated_lock, "obey", first):
            return rig.put(Slot(4), "4207")

    def test_another_write_is_kept(self, rig: Rig) -> None:
        assert self.put_while(rig, lambda: rig.put(Slot(5), "8250")).result is Result.CONFIRMED
        assert rig.truth == HELD | {"4": "4207", "5": "8250"}
        assert rig.row.writes == 3  # the fixture's, and these

    def test_a_reset_stays_one(self, rig: Rig) -> None:
        assert self.put_while(rig, lambda: simulator.wipe(rig.row)).result is Result.CONFIRMED
        assert rig.truth == {"4": "4207"}

    def test_a_fault_that_is_switched_counts(self, rig: Rig) -> None:
        outcome = self.put_while(rig, lambda: simulator.switch(rig.row, fault=Fault.REJECT_SET))
        assert outcome.result is Result.REJECTED
        assert rig.truth == HELD

    def test_a_read_is_counted(self, rig: Rig) -> None:
        before = rig.row.reads
        self.put_while(rig, lambda: rig.read(Slot(3)))
        assert rig.row.reads == before + 1


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
            together.wait(timeout=30)
            result = provider.put(device.lock_ref, Slot(1), Secret("4207"), "", ALWAYS, deadline=5).result
            return result, provider.read(device.lock_ref, Slot(1), deadline=5).seen

        with ThreadPoolExecutor(20) as pool:
            assert set(pool.map(turn, devices)) == {(Result.CONFIRMED, Seen.CODE)}
        assert not SimulatedLock.objects.filter(two_writers__gt=0).exists()
        assert not SimulatedLock.objects.exclude(writer="").exists()

    def test_two_threads_on_one_lock_are_two_writers(self) -> None:
        rig = Rig()
        rig.set(latency_ms=10)
        together = Barrier(2)
        with (
            patch.object(simulator, "sleep", lambda seconds: together.wait(timeout=30)),
            ThreadPoolExecutor(2) as pool,
        ):
            results = pool.map(lambda slot: rig.put(Slot(slot), f"420{slot}").result, [1, 2])
            assert list(results) == [Result.CONFIRMED] * 2
        assert rig.row.two_writers == 1
        assert rig.truth == {"1": "4201", "2": "4202"}

    def test_an_error_reaches_the_calling_thread(self) -> None:
        rig = Rig()
        rig.set(fault=Fault.UNREACHABLE)
        with ThreadPoolExecutor(1) as pool, pytest.raises(Unreachable):
            pool.submit(rig.read_all).result()

    def test_a_forked_process_has_a_connection_of_its_own(self) -> None:
        rig = Rig()

        def put(slot: int) -> Result:
            with ThreadPoolExecutor(1) as pool:
                return pool.submit(rig.put, Slot(slot), f"420{slot}").result(timeout=20).result

        assert put(1) is Result.CONFIRMED  # the parent's shared connection is open now
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            child = os.fork()
        if child == 0:
            signal.alarm(30)
            os._exit(0 if put(2) is Result.CONFIRMED else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert put(3) is Result.CONFIRMED
        assert rig.truth == {"1": "4201", "2": "4202", "3": "4203"}
