"""`/healthz` and `/readyz`: what a monitor is told, and that it is told no secret."""

from datetime import timedelta

import pytest
import time_machine
from django.db import InterfaceError, OperationalError, connection
from django.test import Client
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django_q.models import OrmQ

from codes.tasks import heartbeat
from codes.tick import probe_workers
from portal.models import Heartbeat
from portal.queue import beat, enqueue

pytestmark = pytest.mark.django_db


@pytest.fixture
def at_work() -> None:
    beat("tick")
    beat("worker")


def problems(client: Client, status: int) -> dict[str, dict[str, str | None]]:
    response = client.get("/readyz")
    assert response.status_code == status
    body = response.json()
    assert body["ready"] is (status == 200)
    return {one.pop("part"): one for one in body["problems"]}


def test_a_process_that_answers_is_healthy_even_without_the_database(client: Client) -> None:
    with connection.execute_wrapper(lambda *_: pytest.fail("asked the database")):
        assert client.get("/healthz").content == b"ok"


def test_ready_while_tick_and_workers_beat(client: Client, at_work: None) -> None:
    assert problems(client, 200) == {}


def test_nothing_ever_beat(client: Client) -> None:
    found = problems(client, 503)
    assert set(found) == {"tick", "worker"}
    assert found["tick"]["since"] is None


def test_a_tick_that_stood_still_and_since_when(client: Client, at_work: None) -> None:
    since = timezone.now() - timedelta(seconds=61)
    Heartbeat.objects.filter(name="tick").update(beat_at=since)
    found = problems(client, 503)
    assert set(found) == {"tick"}
    assert abs(parse_datetime(str(found["tick"]["since"])) - since) < timedelta(milliseconds=1)
    assert "Restart the tick" in str(found["tick"]["remedy"])


def test_a_task_that_nobody_takes(client: Client, at_work: None) -> None:
    enqueue("codes.tasks.heartbeat")
    OrmQ.objects.update(lock=timezone.now() - timedelta(seconds=135))  # a busy worker may be so long about a task
    assert problems(client, 200) == {}
    OrmQ.objects.update(lock=timezone.now() - timedelta(seconds=151))
    assert set(problems(client, 503)) == {"queue"}


def test_workers_that_are_gone(client: Client, at_work: None) -> None:
    """The tick's probe stays where it is: the queue tells even when nothing else is to be done."""
    Heartbeat.objects.filter(name="worker").update(beat_at=timezone.now() - timedelta(minutes=1))
    probe_workers()
    probe_workers()
    assert OrmQ.objects.count() == 1
    assert problems(client, 200) == {}
    with time_machine.travel(timezone.now() + timedelta(minutes=3)):
        beat("tick")
        assert set(problems(client, 503)) == {"worker", "queue"}
        OrmQ.objects.all().delete()
        heartbeat()
        assert problems(client, 200) == {}


def test_workers_that_are_busy_are_not_gone(client: Client, at_work: None) -> None:
    Heartbeat.objects.filter(name="worker").update(beat_at=timezone.now() - timedelta(minutes=5))
    enqueue("codes.tasks.sweep")
    assert problems(client, 200) == {}


def test_no_probe_while_workers_beat(at_work: None) -> None:
    probe_workers()
    assert not OrmQ.objects.exists()


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_a_database_that_is_away(client: Client, error: type[Exception]) -> None:
    def away(*args: object) -> None:
        raise error("host=db user=portal password=hunter2")

    with connection.execute_wrapper(away):
        found = problems(client, 503)
    assert set(found) == {"database"}
    assert "hunter2" not in str(found)


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_they_are_read_only(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405


def test_monitors_are_not_sent_to_https(client: Client, settings, at_work: None) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/readyz").status_code == 200
    assert client.get("/").status_code == 301
