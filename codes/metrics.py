"""What is counted and measured of guests: those without a working code, and backups pulled for them."""

from collections.abc import Iterator

from django.db import transaction
from prometheus_client.core import GaugeMetricFamily, Metric

from codes.models import AccessCode
from devices.models import Pin
from portal.tally import Counter

UNKNOWN = "unknown"
PULLS = Counter(
    "portal_backup_pulls",
    "Backup codes given to guests, by what their own code met, and whether the portal or a person asked for it.",
    ("cause", "asked_by"),
    always=tuple((cause or UNKNOWN, "portal") for cause in Pin.Trouble.values),
)


def measure() -> Iterator[Metric]:
    """Guests who need a backup that is not there. By index."""
    uncovered = AccessCode.objects.live().filter(uncovered_since__isnull=False)
    yield GaugeMetricFamily(
        "portal_uncovered_guests", "Guests whose own code failed and for whom no backup is ready.", uncovered.count()
    )


def pulled(cause: str, *, by_person: bool) -> None:
    """A backup was pulled; counted once that is committed."""
    asked_by = "person" if by_person else "portal"
    transaction.on_commit(lambda: PULLS.count(cause or UNKNOWN, asked_by))
