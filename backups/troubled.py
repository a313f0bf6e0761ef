"""Pools that are not full: for home. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import F

from backups.models import BackupPool
from backups.status import PoolStatus, State, counted, status
from devices.models import Device
from portal.models import Workspace


@dataclass(frozen=True, slots=True)
class TroubledPool:
    device: Device
    status: PoolStatus


def troubled_pools(workspace: Workspace) -> Sequence[TroubledPool]:
    """The workspace's pools that are low or exhausted, the emptiest first. One query."""
    short = (
        counted(BackupPool.objects.filter(device__in=Device.objects.of(workspace), device__removal=Device.Removal.KEPT))
        .filter(ready_count__lt=F("size"))
        .select_related("device__property", "device__hub")
        .order_by("ready_count", "device__property__name", "device__name")
    )
    found = [
        TroubledPool(
            pool.device,
            status(pool.device, pool, ready=pool.ready_count, pulled=pool.pulled_count, used=pool.used_count),
        )
        for pool in short
    ]
    return [pool for pool in found if pool.status.state in (State.LOW, State.EXHAUSTED)]
