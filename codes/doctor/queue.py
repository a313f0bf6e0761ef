"""The queue and those who serve it: signs of life, how much waits, and for how long."""

from collections.abc import Iterator
from datetime import timedelta

from django.utils import timezone
from django_q.models import OrmQ

from codes.doctor.finding import Finding, ago, ok, wrong
from portal.clock import now
from portal.models import Heartbeat

SILENT = {  # a part: after how long without a sign of life it stands still, and what starts it
    "tick": (timedelta(minutes=1), "Start or restart: manage.py tick"),
    "worker": (timedelta(minutes=3), "Start or restart: manage.py qcluster. Nothing is lost meanwhile."),
}
TOO_LONG = timedelta(minutes=2)  # for a task to wait


def look() -> Iterator[Finding]:
    for name, (silent, remedy) in SILENT.items():
        yield _sign_of_life(name, silent, remedy)
    waiting = OrmQ.objects.filter(lock__lte=timezone.now())
    oldest = waiting.order_by("lock").first()
    count = waiting.count()
    if oldest is None:
        yield ok("queue", "nothing waits")
    elif (age := now() - oldest.lock) > TOO_LONG:
        says = f"{count} waiting, the oldest for {ago(age)}: it does not move"
        yield wrong("queue", says, "Restart manage.py qcluster; nothing is lost. One lock now: sync_locks LOCK --here")
    else:
        yield ok("queue", f"{count} waiting, the oldest for {ago(age)}")


def _sign_of_life(name: str, silent: timedelta, remedy: str) -> Finding:
    beat = Heartbeat.objects.filter(name__startswith=name).order_by("-beat_at").first()
    if beat is None:
        return wrong(name, "never gave a sign of life; the first comes within a minute", remedy)
    age = now() - beat.beat_at
    says = f"last sign of life {ago(age)} ago"
    return wrong(name, says, remedy) if age > silent else ok(name, says)
