"""No page, tick, sweep or round of warnings reads a whole table, or an index that grows with the fleet."""

import pytest
from django.db import connection
from django.test import Client

from backups.models import BackupCode
from codes.models import AccessCode
from devices.models import Device, Pin
from portal.clock import now
from tests.bench import fleet
from tests.bench.growth import works
from tests.bench.measure import queries
from tests.bench.plans import LARGE, full_scans

LOCKS, FEW = 60, 20  # a scan of so few rows is none


@pytest.fixture(params=["all well", "some trouble"])
def made(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, db: None) -> fleet.Fleet:
    """As the statistics know it: indexes of a few rows are empty, or hold some."""
    monkeypatch.setattr(fleet, "A_WORKSPACE", 2)  # so that hubs and workspaces are many, too
    made = fleet.build(LOCKS)
    if request.param == "some trouble":
        _trouble()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return made


def _trouble() -> None:
    at = now()
    running = AccessCode.objects.live().filter(starts_at__lte=at).order_by("pk")
    for number, field in enumerate(["uncovered_since", "reported_at"]):
        AccessCode.objects.filter(pk=running[number].pk).update(**{field: at})
    spare = BackupCode.objects.order_by("pk")
    BackupCode.objects.filter(pk__in=[code.pk for code in spare[:3]]).update(drawn_at=at)
    Device.objects.filter(pk__in=[lock.pk for lock in Device.objects.order_by("pk")[:2]]).update(online="no")
    written = Pin.objects.filter(status=Pin.Status.SET).order_by("pk")
    Pin.objects.filter(pk=written[0].pk).update(wanted=Pin.Wanted.ABSENT)
    Pin.objects.filter(pk=written[1].pk).update(status=Pin.Status.UNKNOWN)


def test_nothing_reads_a_whole_fleet(client: Client, made: fleet.Fleet) -> None:
    client.force_login(made.user)
    large = FEW if connection.vendor == "sqlite" else LARGE  # PostgreSQL rightly reads all of a table that is small
    for name, work in works(client, made).items():
        with queries() as asked:
            work()
        assert (name, full_scans(asked, large)) == (name, [])
