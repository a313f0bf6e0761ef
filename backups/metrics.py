"""How many pools of backup codes are in which state."""

from collections.abc import Iterator

from django.core.cache import cache
from django.db.models import Count, F, Max, Q
from prometheus_client.core import GaugeMetricFamily, Metric

from backups.models import BackupCode, BackupPool
from backups.services import SETTING_UP
from backups.status import State
from devices.models import Device
from portal.clock import now

FULL_KEPT = 300  # seconds


def measure() -> Iterator[Metric]:
    """Pools of locks in use, by state. One pass over pools; how many are full is counted every five minutes only."""
    pools = GaugeMetricFamily("portal_backup_pools", "Pools of backup codes by state.", labels=["state"])
    for state, count in _by_state().items():
        pools.add_metric([state], count)
    yield pools


def _by_state() -> dict[str, int]:
    young = Q(filled_at=None, exhausted_since=None, activated_at__gt=now() - SETTING_UP)
    counts = BackupPool.objects.filter(device__removal=Device.Removal.KEPT).aggregate(
        all=Count("pk"), exhausted=Count("pk", filter=Q(exhausted_since__isnull=False)), young=Count("pk", filter=young)
    )
    full = cache.get_or_set("metrics:full_pools", _full, FULL_KEPT) or 0
    ready = min(full, counts["all"] - counts["exhausted"])
    return {
        State.READY: ready,
        State.SETTING_UP: counts["young"],
        State.EXHAUSTED: counts["exhausted"],
        State.LOW: max(0, counts["all"] - ready - counts["young"] - counts["exhausted"]),
    }


def _full() -> int:
    """Pools with as many ready spares as their size: all spares meet their PINs, seconds at 100,000 locks."""
    ready = BackupCode.objects.ready().filter(pool__device__removal=Device.Removal.KEPT)
    by_pool = ready.order_by().values("pool").annotate(count=Count("pk"), size=Max("pool__size"))
    full: int = by_pool.aggregate(full=Count("pool", filter=Q(count__gte=F("size"))))["full"]
    return full
