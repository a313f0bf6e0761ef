"""The queue: goes out with the commit, carries ids only, hands each task out once."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.db import connection, connections, transaction
from django.utils import timezone
from django_q.conf import Conf
from django_q.models import OrmQ

from portal.models import Heartbeat
from portal.queue import Broker, alive, beat, enqueue, room
from portal.secret import Secret

TASK = "portal.queue.beat"


def in_threads(count: int, work: Callable[[], Any]) -> list[Any]:
    """What `work` returned in each of `count` threads that began together."""
    results: list[Any] = []
    together = Barrier(count)

    def run() -> None:
        together.wait(5)
        try:
            results.append(work())
        finally:
            connections.close_all()

    threads = [Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def take_all() -> list[int]:
    """The ids of the tasks this broker got until nothing was left."""
    broker, taken = Broker(), []
    while batch := broker.dequeue():
        taken += [task_id for task_id, _payload in batch]
    return taken


@pytest.mark.django_db
def test_a_task_carries_its_name_and_ids() -> None:
    enqueue(TASK, "tick", 7)
    assert OrmQ.objects.get().task["func"] == TASK
    assert OrmQ.objects.get().task["args"] == ("tick", 7)


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_change_leaves_no_task() -> None:
    with transaction.atomic():
        enqueue(TASK, "tick")
        transaction.set_rollback(True)
    assert not OrmQ.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_no_worker_sees_a_task_before_the_commit() -> None:
    with transaction.atomic():
        enqueue(TASK, "tick")
        assert in_threads(1, OrmQ.objects.count) == [0]
    assert OrmQ.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    "value", [Secret("4711"), uuid.uuid4(), ["4711"], {"pin": "4711"}, None, timezone.now()], ids=type
)
def test_it_refuses_anything_but_ids(value: Any) -> None:
    with pytest.raises(TypeError, match="a task takes ids"):
        enqueue(TASK, value)
    assert not OrmQ.objects.exists()


@pytest.mark.django_db
def test_room_is_twice_the_workers() -> None:
    workers = settings.Q_CLUSTER["workers"]
    assert room() == 2 * workers
    for _ in range(2 * workers - 1):
        enqueue(TASK, "tick")
    assert room() == 1
    enqueue(TASK, "tick")
    enqueue(TASK, "tick")
    assert room() == 0


@pytest.mark.django_db
def test_a_task_that_was_taken_makes_room() -> None:
    enqueue(TASK, "tick")
    before = room()
    assert len(Broker().dequeue() or []) == 1
    assert room() == before + 1


@pytest.mark.django_db(transaction=True)
def test_each_task_is_taken_once() -> None:
    for number in range(20):
        enqueue(TASK, number)
    expected = sorted(OrmQ.objects.values_list("pk", flat=True))
    first, second = in_threads(2, take_all)
    assert sorted(first + second) == expected


if connection.features.has_select_for_update_skip_locked:  # SQLite has one writer at a time in any case

    @pytest.mark.django_db(transaction=True)
    def test_a_worker_does_not_wait_for_a_task_another_is_taking() -> None:
        enqueue(TASK, 1)
        enqueue(TASK, 2)
        first, second = OrmQ.objects.order_by("lock")
        with transaction.atomic():
            OrmQ.objects.select_for_update().get(pk=first.pk)
            assert in_threads(1, take_all) == [[second.pk]]


@pytest.mark.django_db
def test_the_longest_waiting_task_comes_first() -> None:
    for _ in range(3):
        enqueue(TASK, "tick")
    ids = list(OrmQ.objects.order_by("lock").values_list("pk", flat=True))
    assert take_all() == ids


@pytest.mark.django_db
def test_a_task_nobody_acknowledged_comes_back() -> None:
    enqueue(TASK, "tick")
    (task_id, payload), *_ = Broker().dequeue() or []
    assert Broker().dequeue() is None
    with time_machine.travel(timezone.now() + timedelta(seconds=Conf.RETRY + 1)):
        assert Broker().dequeue() == [(task_id, payload)]


@pytest.mark.django_db
def test_the_due_tasks_are_found_by_an_index() -> None:
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, OrmQ._meta.db_table)
    assert found["portal_queue_due"]["columns"] == ["key", "lock"]


@pytest.mark.django_db
def test_a_beat_is_recorded_and_renewed() -> None:
    with time_machine.travel("2026-11-23 12:00Z", tick=False):
        beat("tick")
    with time_machine.travel("2026-11-23 12:01Z", tick=False):
        beat("tick")
        assert Heartbeat.objects.get().beat_at == timezone.now()


@pytest.mark.django_db
def test_a_part_is_alive_while_it_beats() -> None:
    beat("tick")
    assert alive("tick", timedelta(minutes=1))
    assert not alive("worker", timedelta(minutes=1))
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        assert not alive("tick", timedelta(minutes=1))
