"""What the queue runs. Losing or repeating a task is harmless; `sync_lock` runs with the real threads here."""

from datetime import timedelta

import pytest
from django.utils import timezone

from codes.tasks import heartbeat, sweep, sync_lock
from devices.lease import take
from devices.models import Device, Event, Hub, Pin, SimulatedLock
from devices.services import request_sync
from portal.models import Heartbeat
from tests import factories
from tests.engine import fault, guest, own, truth


@pytest.fixture
def device(transactional_db) -> Device:
    return factories.DeviceFactory()


@pytest.fixture
def short(monkeypatch) -> None:
    """Tasks that take on no further locks after a moment."""
    monkeypatch.setattr("codes.tasks.CLAIMS_FOR", 0.0)


@pytest.mark.usefixtures("short")
class TestSyncLock:
    def test_sets_a_new_code_on_the_lock(self, device: Device) -> None:
        code = guest(device)
        sync_lock(str(device.pk))
        assert own(code).status == Pin.Status.SET
        assert own(code).secret.reveal() in truth(device).values()

    def test_twice_is_once(self, device: Device) -> None:
        code = guest(device)
        sync_lock(str(device.pk))
        writes = SimulatedLock.objects.get().writes
        sync_lock(str(device.pk))
        assert SimulatedLock.objects.get().writes == writes
        assert own(code).status == Pin.Status.SET

    def test_leaves_a_lock_alone_that_somebody_holds(self, device: Device) -> None:
        guest(device)
        take(device.pk)
        sync_lock(str(device.pk))
        lock = SimulatedLock.objects.get()
        assert (lock.reads, lock.writes) == (0, 0)

    def test_succeeds_on_a_lock_that_is_away_and_forgets_nothing(self, device: Device) -> None:
        fault(device, "unreachable")
        code = guest(device)
        sync_lock(str(device.pk))
        device.refresh_from_db()
        assert device.online == Device.Online.NO and device.next_sync_at > timezone.now()
        fault(device)
        request_sync(device, wake=False)
        sync_lock(str(device.pk))
        assert own(code).status == Pin.Status.SET

    def test_asks_nothing_of_a_lock_that_is_not_due_any_more(self, device: Device) -> None:
        Device.objects.update(next_sync_at=timezone.now() + timedelta(minutes=1), read_wanted=True)
        sync_lock(str(device.pk))
        lock = SimulatedLock.objects.get()
        assert (lock.reads, lock.writes) == (0, 0)

    def test_of_a_lock_that_is_not_there_does_nothing(self, transactional_db) -> None:
        sync_lock("00000000-0000-0000-0000-000000000000")

    def test_has_one_writer_a_lock(self, device: Device) -> None:
        from concurrent.futures import ThreadPoolExecutor

        from django.db import connections

        SimulatedLock.objects.update(latency_ms=20)
        for n in range(3):
            guest(device, f"Guest {n}")

        def work(_: int) -> None:
            try:
                sync_lock(str(device.pk))
            finally:
                connections.close_all()

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(work, range(4)))
        assert SimulatedLock.objects.get().two_writers == 0


def test_one_task_serves_other_due_locks_meanwhile(transactional_db) -> None:
    hub = factories.HubFactory()
    devices = factories.DeviceFactory.create_batch(4, hub=hub, property__workspace=hub.workspace)
    codes = [guest(device) for device in devices]
    SimulatedLock.objects.update(latency_ms=10)
    sync_lock(str(devices[0].pk))
    assert [own(code).status for code in codes] == [Pin.Status.SET] * 4


def test_within_the_hubs_limit(transactional_db) -> None:
    hub = factories.HubFactory(calls_at_once=1)
    devices = factories.DeviceFactory.create_batch(3, hub=hub, property__workspace=hub.workspace)
    codes = [guest(device) for device in devices]
    sync_lock(str(devices[0].pk))
    assert [own(code).status for code in codes] == [Pin.Status.SET] * 3
    assert Hub.objects.get().down_since is None


@pytest.mark.parametrize("served", ["its turn is over", "somebody holds it"])
def test_takes_on_no_other_when_its_lock_was_served_meanwhile(served: str, device: Device) -> None:
    """So that the worker comes to what else waits in the queue."""
    code = guest(factories.DeviceFactory())
    guest(device)
    if served == "somebody holds it":
        take(device.pk)
    else:
        Device.objects.filter(pk=device.pk).update(next_sync_at=timezone.now() + timedelta(minutes=1))
    sync_lock(str(device.pk))
    assert own(code).status == Pin.Status.PLANNED


def test_serves_others_when_its_own_lock_must_wait_for_a_busy_hub(transactional_db) -> None:
    hub = factories.HubFactory(calls_at_once=1)
    waiting = factories.DeviceFactory(hub=hub, property__workspace=hub.workspace)
    guest(waiting)
    take(factories.DeviceFactory(hub=hub, property__workspace=hub.workspace).pk)
    code = guest(factories.DeviceFactory())
    sync_lock(str(waiting.pk))
    assert own(code).status == Pin.Status.SET


def test_the_sweep_and_the_sign_of_life(db) -> None:
    sweep()
    heartbeat()
    assert timezone.now() - Heartbeat.objects.get(name="worker").beat_at < timedelta(seconds=5)


def test_a_lock_that_somebody_asks_for_goes_before_those_that_are_only_due(device: Device, monkeypatch) -> None:
    """One place for a turn, and a bulk of locks that were due long before the guest at the door was added."""
    monkeypatch.setattr("devices.runner.AT_ONCE", 1)
    bulk = [device, *factories.DeviceFactory.create_batch(3)]
    for one in bulk:
        guest(one, "Bulk")
    Device.objects.update(next_sync_at=timezone.now() - timedelta(hours=1), queued_until=None)
    asked = factories.DeviceFactory()
    guest(asked, "At the door")
    sync_lock(str(device.pk))
    order = Event.objects.filter(type=Event.Type.CODE_SET).order_by("pk").values_list("device", flat=True)
    assert list(order)[:2] == [device.pk, asked.pk] and len(order) == 5
