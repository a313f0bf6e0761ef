"""What the portal's own floor counts and measures: mails, the queue, signs of life."""

from collections.abc import Iterator

from django.db.models import Count, Min, Q
from django_q.models import OrmQ
from prometheus_client.core import GaugeMetricFamily, Metric

from portal.clock import now
from portal.models import Heartbeat, OutgoingMail
from portal.queue import oldest_waiting
from portal.tally import Counter

MAILS = Counter(
    "portal_mails",
    "Mails by what became of a try to send them; failed ones are tried again, given up ones are not.",
    ("outcome",),
    always=(("sent",), ("failed",), ("given_up",)),
)


def measure() -> Iterator[Metric]:
    """The queue and the outbox, both short, and the beats. Four queries by index or on tiny tables."""
    at = now()
    tasks = OrmQ.objects.aggregate(
        waiting=Count("pk", filter=Q(lock__lte=at)), taken=Count("pk", filter=Q(lock__gt=at))
    )
    depth = GaugeMetricFamily(
        "portal_queue_tasks", "Tasks in the queue: waiting for a worker, or taken by one.", labels=["state"]
    )
    for state in ("waiting", "taken"):
        depth.add_metric([state], tasks[state])
    yield depth
    since = oldest_waiting()
    yield GaugeMetricFamily(
        "portal_queue_oldest_task_age_seconds",
        "How long the longest waiting task has waited; 0 when none waits.",
        value=(at - since).total_seconds() if since else 0.0,
    )
    yield from _outbox()
    beats = GaugeMetricFamily(
        "portal_heartbeat_timestamp_seconds", "When a part last gave a sign of life, in Unix time.", labels=["part"]
    )
    for name, beat_at in Heartbeat.objects.order_by("name").values_list("name", "beat_at"):
        beats.add_metric([name], beat_at.timestamp())
    yield beats


def _outbox() -> Iterator[Metric]:
    unsent = OutgoingMail.objects.aggregate(count=Count("pk"), oldest=Min("created_at"))
    yield GaugeMetricFamily("portal_mails_waiting", "Mails that are still to be sent.", value=unsent["count"])
    yield GaugeMetricFamily(
        "portal_mails_oldest_age_seconds",
        "How long the oldest unsent mail has waited; 0 when none waits.",
        value=(now() - unsent["oldest"]).total_seconds() if unsent["oldest"] else 0.0,
    )
