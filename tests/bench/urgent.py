"""From a lock's refusal of a guest's PIN to the guest's link showing a backup, while other locks are programmed."""

import time
from collections.abc import Iterator
from datetime import timedelta
from statistics import median

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from codes.models import AccessCode, CodePin
from codes.services import add_code
from devices.models import Device, Event, SimulatedLock
from portal.secret import Secret
from tests import factories
from tests.bench.figure import Figure, within
from tests.bench.locks import batch
from tests.bench.measure import percentile
from tests.bench.run import Run
from tests.bench.running import forget_everything_due, portal, until

WORKERS = 2
BUSY_LATENCY = 300  # ms: the others' calls


def figures(run: Run) -> Iterator[Figure]:
    others, samples = run.choose((1000, 40), (150, 8))
    doors = [_door() for _ in range(samples)]
    with portal(workers=WORKERS):
        busy = batch(others, pins=4, latency=lambda number: BUSY_LATENCY)
        busy.due()
        taken = [_shown_after(door) for door in doors]
        still = busy.left()
        forget_everything_due()
    note = f"{samples} refusals, {others} other locks, {still} PINs of theirs still to come at the end"
    yield within("lock refuses → link shows the backup, p50", median(taken), 0.3, unit="s", note=note)
    yield within("lock refuses → link shows the backup, p99", percentile(taken, 0.99), 1, unit="s", note=note)


def _door() -> Device:
    """A lock with ready backups that refuses whatever is new."""
    device = factories.DeviceFactory(next_sync_at=timezone.now() + timedelta(days=1))
    pool = factories.BackupPoolFactory(device=device)
    factories.BackupCodeFactory.create_batch(5, pool=pool)
    SimulatedLock.objects.filter(hub=device.hub).update(fault=SimulatedLock.Fault.REJECT_SET)
    return device


def _shown_after(device: Device) -> float:
    """Seconds from the refusal, as it was written down, to the first page that shows the backup's digits."""
    starts = timezone.now() - timedelta(minutes=1)
    code = add_code(
        device=device,
        name="Ben Okafor",
        kind=AccessCode.Kind.TIME_BOUND,
        starts_at=starts,
        ends_at=starts + timedelta(days=2),
        pin=Secret("8365"),
    )
    link, client = reverse("guest_page", args=[code.guest_token]), Client()
    shown: list[float] = []

    def shows() -> bool:
        if "guest-pin" not in client.get(link).content.decode():
            return False
        shown.append(time.time())
        return True

    until(shows, pause=0.01)
    assert CodePin.objects.filter(code=code, role=CodePin.Role.BACKUP).exists()
    refused = Event.objects.get(subject=code.pk, type=Event.Type.CODE_FAILED)
    return shown[0] - refused.at.timestamp()
