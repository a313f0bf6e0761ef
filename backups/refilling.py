"""Refilling one lock's pool on request, and telling what that came to. For commands."""

from dataclasses import dataclass

from django.db import transaction

from backups.models import BackupPool
from backups.services import refill, target_of
from backups.status import pools_of
from devices.lookup import full_name
from devices.models import Device
from portal.console import plain


@dataclass(frozen=True, slots=True)
class Refilled:
    """A lock's pool after a refill: spares ready, still on their way to the lock, and asked for just now."""

    device: Device
    ready: int
    on_the_way: int
    asked: int
    size: int
    why: str  # what keeps it from being full; "" if it is

    @property
    def full(self) -> bool:
        """It will have all its spares, or it is a lock that has no pool."""
        return self.ready + self.on_the_way >= self.size

    def to_json(self) -> dict[str, object]:
        return {
            "id": self.device.pk,
            "lock": full_name(self.device),
            "workspace": self.device.property.workspace.name,
            "ready": self.ready,
            "on_the_way": self.on_the_way,
            "asked": self.asked,
            "size": self.size,
            "why": self.why,
        }


def refill_now(device: Device, *, dry_run: bool = False) -> Refilled:
    """Refill the lock's pool. `dry_run`: do all of it, tell what came of it, and take it back.

    `device` comes with its property, workspace and hub. Wakes nobody: the tick finds the lock due.
    """
    with transaction.atomic():
        Device.objects.select_for_update().get(pk=device.pk)
        last = _last_code(device)
        refill(device, wake=False)
        device.refresh_from_db(from_queryset=Device.objects.select_related("property__workspace", "hub"))
        told = _told(device, last)
        if dry_run:
            transaction.set_rollback(True)
    return told


def _last_code(device: Device) -> int:
    pool = BackupPool.objects.filter(device=device).first()
    newest = pool.codes.order_by("pk").last() if pool else None
    return newest.pk if newest else 0


def _told(device: Device, last: int) -> Refilled:
    pool = BackupPool.objects.filter(device=device).first()
    if pool is None or device.removal != Device.Removal.KEPT:
        return Refilled(device, 0, 0, 0, 0, _no_pool(device))
    spares, ready = pool.codes.spare().count(), pool.codes.ready().count()
    asked = pool.codes.spare().filter(pk__gt=last).count()
    return Refilled(device, ready, spares - ready, asked, pool.size, _why(device, pool, spares))


def _no_pool(device: Device) -> str:
    if device.removal != Device.Removal.KEPT:
        return "The lock is being removed."
    return plain(pools_of([device])[device.pk].sentence)


def _why(device: Device, pool: BackupPool, spares: int) -> str:
    if spares < pool.size and spares < target_of(device, pool, have=spares):
        return "No other PIN is left by this lock's rules."
    if spares < pool.size:
        return "The lock has no room for more."
    sentence = plain(pools_of([device])[device.pk].sentence)
    _count, _, reason = sentence.partition("ready.")
    return reason.strip()
