"""The queue's front door: `enqueue()`, the broker that many workers may share, and signs of life.

The queue is a wake-up call and carries ids only. On PostgreSQL the broker takes tasks with SKIP LOCKED, so
workers of one or many hosts never wait for one another; SQLite keeps django-q's own way.
"""

from datetime import timedelta
from time import sleep

from django.conf import settings
from django.db import connections, transaction
from django.utils import timezone
from django_q.brokers.orm import ORM
from django_q.conf import Conf
from django_q.models import OrmQ
from django_q.tasks import async_task

from portal.models import Heartbeat


def enqueue(task: str, *ids: str | int) -> None:
    """Ask a worker to run the dotted task with these ids. Inside a transaction it goes out with the commit."""
    async_task(task, *ids)


def room() -> int:
    """How many more tasks the queue should take: kept at twice the workers, so nobody waits behind a bulk job."""
    limit = 2 * int(settings.Q_CLUSTER["workers"])
    waiting = OrmQ.objects.filter(lock__lte=timezone.now()).count()
    return max(0, limit - waiting)


def beat(name: str) -> None:
    """Record that the named part is alive now."""
    Heartbeat.objects.update_or_create(name=name, defaults={"beat_at": timezone.now()})


class Broker(ORM):  # type: ignore[misc]
    """django-q's ORM broker, taking tasks in one statement where the database can skip locked rows."""

    def dequeue(self) -> list[tuple[int, str]] | None:
        if not connections[Conf.ORM].features.has_select_for_update_skip_locked:
            taken: list[tuple[int, str]] | None = super().dequeue()
            return taken
        with transaction.atomic(using=Conf.ORM):
            due = self.get_connection().filter(key=self.list_key, lock__lt=timezone.now()).order_by("lock")
            tasks = list(due.select_for_update(skip_locked=True)[: Conf.BULK])
            retry_at = timezone.now() + timedelta(seconds=Conf.RETRY)
            self.get_connection().filter(pk__in=[task.pk for task in tasks]).update(lock=retry_at)
        if not tasks:
            sleep(Conf.POLL)
            return None
        return [(task.pk, task.payload) for task in tasks]
