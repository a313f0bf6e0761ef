"""Check-ins that are refused in the same second, each at a lock of its own: every one is given a spare, none twice.

The floor draws the same spares by a bare loop: one `UPDATE … FOR UPDATE SKIP LOCKED` and one commit each, with the
row changes that make the draw a guest's.
"""

from collections.abc import Iterator
from datetime import timedelta
from time import perf_counter

import psycopg
from django.db import connection
from django.utils import timezone

from backups.models import BackupCode, BackupPool
from codes.models import CodePin
from codes.tick import tick
from devices.models import Device, Pin
from portal.secret import Secret, digest
from tests import factories
from tests.bench.databases import environment
from tests.bench.figure import Figure, at_most, within
from tests.bench.locks import Batch, batch
from tests.bench.run import Run

SPARES = 5
DRAW = """
    UPDATE backups_backupcode SET drawn_at = now() WHERE id = (
        SELECT spare.id FROM backups_backupcode spare JOIN devices_pin pin ON pin.id = spare.pin_id
        WHERE spare.pool_id = %s AND spare.drawn_at IS NULL AND spare.retired_at IS NULL AND pin.status = 'set'
        ORDER BY pin.confirmed_at DESC LIMIT 1 FOR UPDATE OF spare SKIP LOCKED
    ) RETURNING pin_id"""
GIVE = (
    "UPDATE devices_pin SET wanted_from = now(), wanted_until = now() + interval '2 days', priority = 0 WHERE id = %s",
    "INSERT INTO codes_codepin (code_id, pin_id, role, given_at) VALUES (%s, %s, 'backup', now())",
    "UPDATE devices_pin SET wanted = 'absent', give_up_at = NULL WHERE id = %s",
    "INSERT INTO devices_event (workspace_id, device_id, type, at, subject, data)"
    " VALUES (%s, %s, 'access_code.backup_access_code_pulled', now(), %s, '{}')",
    "UPDATE devices_device SET version = version + 1, next_sync_at = now() WHERE id = %s",
)


def figures(run: Run) -> Iterator[Figure]:
    pools = run.choose(500, 60)
    ours, twice, missed = _covered(_refused(pools))
    bare = _bare(_refused(pools))
    title = f"{pools} check-ins refused at once, {pools} pools"
    peer = "bare UPDATE … SKIP LOCKED loop with the same row changes"
    yield at_most(title, ours, bare, 3, unit="s", peer=peer, note="quick: 500 without --quick" if run.quick else "")
    yield within("the same, drawn twice", twice, 0, unit="spares")
    yield within("the same, missed", missed, 0, unit="guests")


def _refused(pools: int) -> Batch:
    """Locks with full pools, and one guest each whose PIN was refused and is given up by now."""
    made = batch(pools, pins=1, caps=factories.MODERN)
    at = timezone.now()
    rows = [BackupPool(device=device, activated_at=at, filled_at=at) for device in made.devices]
    BackupPool.objects.bulk_create(rows)
    pins = [_spare(pool.device, number) for pool in rows for number in range(SPARES)]
    Pin.objects.bulk_create(pins)
    BackupCode.objects.bulk_create(
        BackupCode(pool=rows[n // SPARES], pin=pin, code_id=f"B{n % SPARES}", position=n % SPARES + 1)
        for n, pin in enumerate(pins)
    )
    Pin.objects.filter(device__in=made.devices, priority=Pin.Priority.PERSON).update(
        status=Pin.Status.REFUSED, trouble=Pin.Trouble.REJECTED, attempts=1, give_up_at=at
    )
    return made


def _spare(device: Device, number: int) -> Pin:
    digits = f"{7000 + 113 * number}"
    return Pin(
        device=device,
        secret=Secret(digits),
        digest=digest(str(device.pk), digits),
        label=f"Backup B{number} (Seam)",
        priority=Pin.Priority.SPARE,
        status=Pin.Status.SET,
        slot=10 + number,
        confirmed_at=timezone.now() - timedelta(minutes=number),
    )


def _covered(made: Batch) -> tuple[float, int, int]:
    """Seconds the tick takes, how many spares went to two guests, and how many guests went without."""
    began = perf_counter()
    tick()
    taken = perf_counter() - began
    given = CodePin.objects.filter(code__device__in=made.devices, role=CodePin.Role.BACKUP)
    spares = list(given.values_list("pin", flat=True))
    return taken, len(spares) - len(set(spares)), len(made.devices) - len(spares)


def _bare(made: Batch) -> float:
    rows = [
        (device.backup_pool.pk, pin.pk, pin.code_pin.code_id, device.pk, device.property.workspace_id)
        for device in made.devices
        for pin in Pin.objects.filter(device=device, priority=Pin.Priority.PERSON).select_related("code_pin")
    ]
    url = environment()["DATABASE_URL"]
    connection.close()
    began = perf_counter()
    with psycopg.connect(url) as bare:
        for pool, own, code, device, workspace in rows:
            (spare,) = bare.execute(DRAW, [pool]).fetchone() or (None,)
            values = ([spare], [code, spare], [own], [workspace, device, code], [device])
            for statement, value in zip(GIVE, values, strict=True):
                bare.execute(statement, value)
            bare.commit()
    return perf_counter() - began
