"""PINs programmed a second by real workers on locks that answer at once, held against their row changes done bare."""

import time
from collections.abc import Iterator
from statistics import mean

from django.db import transaction

from codes.models import CodePin
from devices.models import Device, Pin, SimulatedLock
from tests.bench.figure import Figure, at_least
from tests.bench.locks import Batch, batch
from tests.bench.measure import queries
from tests.bench.replay import Script, changes, keys_apart, rate
from tests.bench.run import Run
from tests.bench.running import forget_everything_due, portal, until
from tests.engine import turn

WORKERS = 2
PINS = 4  # a lock
ROUNDS = 2


def figures(run: Run) -> Iterator[Figure]:
    locks = run.choose(250, 40)
    script = _script()
    ours, bare = [], []
    with portal(workers=WORKERS):
        for _ in range(ROUNDS):
            ours.append(_programmed(batch(locks, pins=PINS)))
            forget_everything_due()
            bare.append(rate(script, [_own(device) for device in batch(locks, pins=PINS).devices]))
    note = f"{locks} locks × {PINS} PINs; {len(script.statements) / PINS:.0f} row changes a PIN"
    yield at_least(
        f"PINs programmed a second, lock latency 0, {WORKERS} workers",
        mean(ours),
        mean(bare),
        0.4,
        unit="a second",
        peer="floor: the same row changes, bare psycopg, one commit a PIN, 2 connections",
        note=note,
    )


def _programmed(made: Batch) -> float:
    """PINs a second from when the locks are due to when the last is read back."""
    began = time.time()
    made.due()
    until(lambda: not made.left(), within=300, pause=1)
    return len(made.devices) * PINS / (made.last_confirmed() - began)


def _script() -> Script:
    """What one turn changes, its lock's own rows too; they are left as they were."""
    keys_apart(SimulatedLock, Pin, CodePin)
    device = batch(1, pins=PINS).devices[0]
    own = _own(device)
    with queries() as asked, transaction.atomic():
        assert turn(device)
        transaction.set_rollback(True)
    return changes(asked, own, commits=PINS)


def _own(device: Device) -> list[object]:
    """The values by which the row changes of one lock differ from another's."""
    rows = Pin.objects.filter(device=device).order_by("pk").values_list("pk", "code_pin__code_id", "code_pin")
    truth = SimulatedLock.objects.get(hub=device.hub_id, lock_ref=device.lock_ref)
    return [device.pk, device.hub_id, device.lock_ref, truth.pk, *(value for row in rows for value in row)]
