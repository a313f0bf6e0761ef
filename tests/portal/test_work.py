"""`manage.py work`: whoever is killed, the queue moves again and nobody is left behind. Real processes."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django_q.models import OrmQ

from devices.models import Device, Pin, SimulatedLock
from tests import factories
from tests.engine import guest, lease_runs_out, own, ready, truth
from tests.running import ROOT, Running, children, environment, runs, wait_for

pytestmark = [pytest.mark.cluster, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def device(transactional_db: None) -> Device:
    return factories.DeviceFactory()


@pytest.fixture
def work(device: Device) -> Iterator[Running]:
    running = Running("work", hasty=True)
    yield running
    running.stop()


@pytest.fixture
def pulse(device: Device) -> Iterator[Running]:
    running = Running("tick")
    yield running
    running.stop()


def leader(work: Running) -> int:
    """The cluster's first process; the guard, which is there longer, is no Django."""
    found = [pid for pid in children(work.pid) if b"work" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")]
    return found[-1] if found else 0


def sentinel(work: Running) -> int:
    return (children(leader(work)) or [0])[0]


def members(work: Running) -> list[int]:
    """The one worker, the monitor and the pusher, once they are there."""
    return children(sentinel(work)) if sentinel(work) else []


def everybody(work: Running) -> list[int]:
    return [*children(work.pid), sentinel(work), *members(work)]


def is_set(pin: Pin) -> bool:
    pin.refresh_from_db()
    return pin.status == Pin.Status.SET


def up(work: Running) -> list[int]:
    wait_for(lambda: len(members(work)) == 3)
    return members(work)


def works(device: Device) -> None:
    """A guest's code gets onto the lock."""
    code = guest(device)
    wait_for(lambda: is_set(own(code)))
    assert own(code).secret.reveal() in truth(device).values()


def idle(device: Device) -> bool:
    """The pool is full, and nothing is in hand or on its way."""
    device.refresh_from_db()
    return len(ready(device)) == 5 and device.lease_token is None and not OrmQ.objects.exists()


@pytest.mark.parametrize("who", ["leader", "sentinel", "idle worker", "monitor"])
def test_whoever_is_killed_the_queue_moves_again_and_nobody_is_left(who: str, device: Device, work: Running) -> None:
    worker, monitor, _ = up(work)
    works(device)
    wait_for(lambda: idle(device))  # all sleep, with the queues' locks in their hands
    old = [leader(work), sentinel(work), *members(work)]
    victim = {"leader": old[0], "sentinel": old[1], "idle worker": worker, "monitor": monitor}[who]
    os.kill(victim, signal.SIGKILL)
    wait_for(lambda: not [pid for pid in old if runs(pid)])
    up(work)
    works(device)


def test_a_worker_killed_in_a_turn_is_replaced_and_the_turn_taken_again(
    device: Device, work: Running, pulse: Running
) -> None:
    lock = SimulatedLock.objects.filter(lock_ref=device.lock_ref)
    lock.update(latency_ms=700)
    worker = up(work)[0]
    first = leader(work)
    code = guest(device)
    wait_for(lambda: own(code).status == Pin.Status.WRITING)
    os.kill(worker, signal.SIGKILL)
    lock.update(latency_ms=0, writer="")  # by the time a lease runs out the simulator has forgotten a killed writer
    lease_runs_out(device)
    wait_for(lambda: is_set(own(code)))
    assert leader(work) == first  # the others went on
    assert list(truth(device).values()).count(own(code).secret.reveal()) == 1


def test_on_sigterm_a_turn_in_hand_is_ended_first(device: Device, work: Running) -> None:
    up(work)
    all_of_them = everybody(work)
    SimulatedLock.objects.filter(lock_ref=device.lock_ref).update(latency_ms=500)
    code = guest(device)
    wait_for(lambda: own(code).status == Pin.Status.WRITING)
    work.process.terminate()
    assert work.process.wait(60) == 0
    device.refresh_from_db()
    assert own(code).status == Pin.Status.SET and device.lease_token is None
    assert not [pid for pid in all_of_them if runs(pid)]


def test_after_sigterm_no_further_lock_is_taken_on(device: Device, work: Running) -> None:
    up(work)
    SimulatedLock.objects.filter(lock_ref=device.lock_ref).update(latency_ms=2000)
    code, other = guest(device), factories.DeviceFactory()
    wait_for(lambda: own(code).status == Pin.Status.WRITING)
    work.process.terminate()
    wait_for(lambda: len(members(work)) < 3)  # it has heard: nobody fetches tasks any more
    later = guest(other)
    assert work.process.wait(60) == 0
    assert (own(code).status, own(later).status) == (Pin.Status.SET, Pin.Status.PLANNED)


def test_kill_9_of_all_that_watches_leaves_nobody(device: Device, work: Running) -> None:
    up(work)
    all_of_them = everybody(work)
    work.process.kill()
    wait_for(lambda: not [pid for pid in all_of_them if runs(pid)])


def test_it_says_what_is_missing_and_does_not_start(device: Device, tmp_path: Path) -> None:
    empty = environment(DATABASE_URL=f"sqlite:///{tmp_path}/empty.sqlite3")
    done = subprocess.run(
        [sys.executable, "manage.py", "work"], cwd=ROOT, env=empty, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert "Run: manage.py migrate" in done.stderr and "Run: manage.py createcachetable" in done.stderr
