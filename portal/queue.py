"""The queue's front door: `enqueue()`, the broker that many workers may share, and signs of life.

What the broker is asked by pusher, monitor and sentinel is how their watchdog (portal.watchdog) hears of them.

The queue is a wake-up call and carries ids only. On PostgreSQL the broker takes tasks with SKIP LOCKED, so
workers of one or many hosts never wait for one another; SQLite keeps django-q's own way.
"""

import uuid
from datetime import datetime, timedelta
from time import sleep
from typing import Any

from django.conf import settings
from django.db import connections, transaction
from django.utils import timezone
from django_q.brokers.orm import ORM
from django_q.conf import Conf
from django_q.models import OrmQ
from django_q.signing import SignedPackage
from django_q.tasks import async_task

from portal import signs
from portal.models import Heartbeat
from portal.signs import Sign

CHECK_TASK = "portal.queue.check"
CHECK = "check"  # stands where a task's row id stands, for a task that has no row


def enqueue(task: str, *ids: str | int) -> None:
    """Ask a worker to run the dotted task with these ids. Inside a transaction it goes out with the commit.

    Raises TypeError for anything but text and numbers: a task's arguments are stored in clear, so nothing
    that could carry a PIN goes there, and a row travels as its id because it may have changed by then.
    """
    for value in ids:
        if type(value) not in (str, int):
            raise TypeError(f"a task takes ids, not a {type(value).__name__}: pass the row's id and read it again")
    async_task(task, *ids)


def room() -> int:
    """How many more tasks the queue should take: twice the workers, so nobody waits behind a bulk job."""
    limit = 2 * int(settings.Q_CLUSTER["workers"])
    waiting: int = OrmQ.objects.filter(lock__lte=timezone.now()).count()
    return max(0, limit - waiting)


def oldest_waiting() -> datetime | None:
    """Since when the task that no worker has taken and that waits longest has waited; None when none waits."""
    waiting = OrmQ.objects.filter(lock__lte=timezone.now())
    since: datetime | None = waiting.order_by("lock").values_list("lock", flat=True).first()
    return since


def beat(name: str) -> None:
    """Record that the named part is alive now."""
    Heartbeat.objects.update_or_create(name=name, defaults={"beat_at": timezone.now()})


def alive(name: str, within: timedelta) -> bool:
    """Whether the named part has beaten within that time."""
    return Heartbeat.objects.filter(name=name, beat_at__gt=timezone.now() - within).exists()


class Broker(ORM):  # type: ignore[misc]
    """django-q's ORM broker, taking tasks in one statement where the database can skip locked rows."""

    def dequeue(self) -> list[tuple[int | str, str]] | None:
        """Tasks for the workers; every few seconds a check, ahead of all that waits in the table."""
        if signs.check_is_due():
            return [(CHECK, _check_package())]
        if not connections[Conf.ORM].features.has_select_for_update_skip_locked:
            taken: list[tuple[int | str, str]] | None = super().dequeue()
            return taken
        waiting = self.get_connection()  # outside the transaction: this is what drops a dead connection
        with transaction.atomic(using=Conf.ORM):
            due = waiting.filter(key=self.list_key, lock__lt=timezone.now()).order_by("lock")
            tasks = list(due.select_for_update(skip_locked=True)[: Conf.BULK])
            waiting.filter(pk__in=[task.pk for task in tasks]).update(lock=_retry_at())
        if not tasks:
            sleep(Conf.POLL)
            return None
        return [(task.pk, task.payload) for task in tasks]

    def acknowledge(self, task_id: int | str) -> None:
        """The monitor has this task's result."""
        if task_id == CHECK:
            signs.give(Sign.ANSWERED)
        else:
            super().acknowledge(task_id)

    def set_stat(self, key: str, value: str, timeout: int) -> None:
        """The sentinel's statistics, twice a second: nobody reads them, but they tell that it looks after its own."""
        signs.give(Sign.GUARDING)


def check() -> None:
    """The task of a check: a worker has taken it."""
    signs.give(Sign.CHECKED)


def _check_package() -> str:
    task: dict[str, Any] = {"id": uuid.uuid4().hex, "name": CHECK, "func": CHECK_TASK, "args": (), "kwargs": {}}
    package: str = SignedPackage.dumps({**task, "started": timezone.now()})
    return package


def _retry_at() -> datetime:
    """When a task that nobody acknowledged is handed out again."""
    return timezone.now() + timedelta(seconds=Conf.RETRY)
