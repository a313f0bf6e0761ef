"""The pulse: who must not wait is covered, stays end, due locks are queued as far as the queue has room."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import OperationalError
from django.utils import timezone
from django_q.models import OrmQ

from codes import tick as pulse
from codes.services import add_code
from codes.tick import tick
from devices.lease import take
from devices.models import Device, Hub, Property, SimulatedLock
from devices.services import remove_lock
from portal.models import Heartbeat
from tests import factories
from tests.engine import fault, guest, later, settle


def queued() -> list[str]:
    waiting = [row.task for row in OrmQ.objects.order_by("pk")]
    return [task["args"][0] for task in waiting if task["func"] == "codes.tasks.sync_lock"]


def due(place: Property, hub: Hub, count: int) -> list[Device]:
    """Locks that are due, the first the longest."""
    at = timezone.now()
    locks = factories.DeviceFactory.create_batch(count, property=place, hub=hub)
    for n, lock in enumerate(locks):
        Device.objects.filter(pk=lock.pk).update(next_sync_at=at - timedelta(minutes=count - n))
    return locks


def test_it_says_that_it_is_alive(db) -> None:
    tick()
    assert timezone.now() - Heartbeat.objects.get(name="tick").beat_at < timedelta(seconds=5)


def test_it_queues_what_is_due_longest_first_and_no_more_than_there_is_room(place: Property, hub: Hub) -> None:
    locks = due(place, hub, 9)
    room = 2 * settings.Q_CLUSTER["workers"]
    tick()
    assert queued() == [str(lock.pk) for lock in locks[:room]]
    tick()
    assert len(queued()) == room


def test_it_queues_a_lock_once(place: Property, hub: Hub) -> None:
    due(place, hub, 1)
    for _ in range(3):
        tick()
    assert len(queued()) == 1


def test_it_queues_none_that_is_held_not_due_removed_or_behind_a_dead_hub(place: Property, hub: Hub) -> None:
    held, resting, removed, behind = due(place, hub, 4)
    take(held.pk)
    Device.objects.filter(pk=resting.pk).update(next_sync_at=timezone.now() + timedelta(minutes=1))
    Device.objects.filter(pk=removed.pk).update(removal=Device.Removal.REMOVED)
    at = timezone.now()
    dead = factories.HubFactory(workspace=hub.workspace, down_since=at, probe_at=at + timedelta(seconds=30))
    Device.objects.filter(pk=behind.pk).update(hub=dead)
    tick()
    assert queued() == []


def test_it_ends_codes_of_a_lock_that_is_being_removed(device: Device) -> None:
    stay = guest(device)
    owner = add_code(device=device, name="Owner", kind="ongoing")
    remove_lock(device)
    tick()
    for code in (stay, owner):
        code.refresh_from_db()
        assert code.ended_at is not None and code.cancelled_at is None


def test_it_speaks_to_no_lock(device: Device) -> None:
    guest(device)
    fault(device, "unreachable")
    with later(minutes=3):
        tick()
    lock = SimulatedLock.objects.get()
    assert (lock.reads, lock.writes) == (0, 0)


def test_it_asks_little_of_the_database_when_nothing_is_due(device: Device, django_assert_max_num_queries) -> None:
    guest(device)
    settle(device)
    OrmQ.objects.all().delete()
    with django_assert_max_num_queries(10):
        tick()


def test_a_database_that_is_away_is_the_callers_to_hear(device: Device, monkeypatch) -> None:
    def away(code, at):
        raise OperationalError("gone")

    monkeypatch.setattr(pulse, "cover_if_due", away)
    fault(device, "unreachable")
    guest(device)
    with later(minutes=3), pytest.raises(OperationalError):
        tick()
