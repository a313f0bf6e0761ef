"""The queue and those who serve it, as /readyz sees them: signs of life, how much waits, and for how long."""

from collections.abc import Iterator

from django.utils import timezone
from django_q.models import OrmQ

from codes.doctor.finding import Finding, ago, ok, wrong
from portal.clock import now
from portal.models import Heartbeat
from portal.queue import oldest_waiting
from portal.readiness import problems

REMEDIES = {
    "tick": "Start or restart: manage.py tick",
    "worker": "Start or restart: manage.py work. Nothing is lost meanwhile.",
    "queue": "Restart manage.py work; nothing is lost. One lock now: manage.py sync_locks LOCK --here",
}


def look() -> Iterator[Finding]:
    found = {problem.part: problem for problem in problems()}
    for part in ("tick", "worker"):
        said = _last_sign(part)
        yield wrong(part, said, REMEDIES[part]) if part in found else ok(part, said)
    said = _waiting()
    yield wrong("queue", f"{said}: it does not move", REMEDIES["queue"]) if "queue" in found else ok("queue", said)


def _last_sign(part: str) -> str:
    beat = Heartbeat.objects.filter(name=part).first()
    if beat is None:
        return "never gave a sign of life; the first comes within a minute"
    return f"last sign of life {ago(now() - beat.beat_at)} ago"


def _waiting() -> str:
    since = oldest_waiting()
    if since is None:
        return "nothing waits"
    count = OrmQ.objects.filter(lock__lte=timezone.now()).count()
    return f"{count} waiting, the oldest for {ago(now() - since)}"
