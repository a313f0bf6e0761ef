"""Real workers and the real tick, on the test's own database. What they end in, and in which order; never how fast."""

import os
import signal
from collections.abc import Iterator

import pytest
from django_q.models import OrmQ

from devices.models import Device, Event, Pin, SimulatedLock
from tests import factories
from tests.engine import guest, lease_runs_out, opens, own, ready, truth
from tests.running import Running, children, wait_for

pytestmark = [pytest.mark.cluster, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def device(transactional_db: None) -> Device:
    return factories.DeviceFactory()


@pytest.fixture
def workers(device: Device) -> Iterator[Running]:
    running = Running("qcluster")
    yield running
    running.stop()


@pytest.fixture
def pulse(device: Device) -> Iterator[Running]:
    running = Running("tick")
    yield running
    running.stop()


def is_set(pin: Pin) -> bool:
    pin.refresh_from_db()
    return pin.status == Pin.Status.SET


def test_a_click_is_on_the_lock_by_the_workers_alone(device: Device, workers: Running) -> None:
    """The click itself puts the turn on the queue: nobody has to look for it."""
    code = guest(device)
    wait_for(lambda: is_set(own(code)))
    assert own(code).secret.reveal() in truth(device).values()
    wait_for(lambda: len(ready(device)) == 5)  # the pool's turn followed from the same click


def test_what_a_worker_counts_any_web_process_tells(device: Device, workers: Running, client, settings) -> None:
    """Counted in a forked worker of another program, told by this one."""
    settings.METRICS_TOKEN = "a-token-for-tests-only"
    headers = {"Authorization": f"Bearer {settings.METRICS_TOKEN}"}
    code = guest(device)
    wait_for(lambda: is_set(own(code)))
    told = 'portal_turn_duration_seconds_count{outcome="answered",provider="simulator"}'
    wait_for(lambda: told in client.get("/metrics", headers=headers).content.decode())


def test_with_the_tick_a_lost_task_is_only_late(device: Device, workers: Running, pulse: Running) -> None:
    code = guest(device)
    Device.objects.filter(pk=device.pk).update(queued_until=None)
    OrmQ.objects.all().delete()
    wait_for(lambda: is_set(own(code)))
    assert opens(device, code)


def test_a_worker_killed_in_the_middle_of_a_turn_heals(device: Device, workers: Running, pulse: Running) -> None:
    lock = SimulatedLock.objects.filter(lock_ref=device.lock_ref)
    lock.update(latency_ms=700)
    code = guest(device)
    wait_for(lambda: own(code).status == Pin.Status.WRITING)
    sentinel = children(workers.process.pid)[0]
    worker = children(sentinel)[0]
    os.kill(worker, signal.SIGKILL)
    lock.update(latency_ms=0)
    assert own(code).status == Pin.Status.WRITING  # it may be on the lock: nobody says otherwise
    lock.update(writer="")  # by the time the lease runs out the simulator has forgotten the killed writer
    lease_runs_out(device)
    wait_for(lambda: is_set(own(code)))
    assert own(code).secret.reveal() in truth(device).values()
    assert list(truth(device).values()).count(own(code).secret.reveal()) == 1
    assert lock.get().two_writers == 0


def test_a_refused_guest_is_covered_by_the_real_thing(device: Device, workers: Running, pulse: Running) -> None:
    guest(device, "First")
    wait_for(lambda: len(ready(device)) == 5)
    SimulatedLock.objects.filter(lock_ref=device.lock_ref).update(fault="reject_set")
    code = guest(device, "Ben Okafor")
    wait_for(lambda: Event.objects.filter(type=Event.Type.BACKUP_PULLED, subject=code.pk).exists())
    assert opens(device, code)
    SimulatedLock.objects.filter(lock_ref=device.lock_ref).update(fault="")
    wait_for(lambda: len(ready(device)) == 5)
