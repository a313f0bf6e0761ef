"""The pool of a lock, and of many, for templates of any app."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django import template
from django.conf import settings
from django.template.context import RequestContext

from backups import status, troubled, warnings
from backups.status import OnLock, PoolStatus
from backups.troubled import TroubledPool
from backups.warnings import Warning
from devices.models import Device

register = template.Library()


@register.simple_tag
def backup_pool(device: Device, found: OnLock | None = None) -> PoolStatus:
    """One lock's pool: `{% backup_pool device as pool %}`, with what was found on the lock if that was read already."""
    return status.pool_of(device, found)


@register.simple_tag
def backup_pools(devices: Iterable[Device]) -> dict[UUID, PoolStatus]:
    """Many locks' pools, by lock."""
    return status.pools_of(devices)


@register.simple_tag
def backup_label(pool: PoolStatus) -> str:
    """A backup's name in the lock's own app, one of this pool's as the example."""
    code_id = next((code.code_id for code in pool.codes), "7F3A")
    return f"Backup {code_id} ({settings.BACKUP_BRAND})"


@register.filter
def for_device(pools: dict[UUID, PoolStatus], device: Device) -> PoolStatus | None:
    return pools.get(device.pk)


@register.simple_tag
def pool_warning(device: Device, pool: PoolStatus) -> Warning | None:
    return warnings.warning_of(device, pool)


@register.simple_tag(takes_context=True)
def troubled_pools(context: RequestContext) -> Sequence[TroubledPool]:
    """`{% troubled_pools as pools %}`: the workspace's pools that are low or exhausted."""
    return troubled.troubled_pools(context["request"].membership.workspace)
