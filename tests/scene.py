"""A lock in the middle of its life, as rows: something of everything a page shows."""

from datetime import timedelta

from django.utils import timezone

from backups.models import BackupPool
from codes.models import AccessCode, CodePin
from devices.models import Device, Event, Pin
from tests import factories


def guest(device: Device, name: str, *, hours: float = 2, **pin: object) -> AccessCode:
    """A stay with its own PIN; `pin` says how that one is."""
    starts_at = timezone.now() + timedelta(hours=hours)
    code = factories.AccessCodeFactory(
        device=device, name=name, starts_at=starts_at, booking_reference=f"RES-{20400 + int(hours)}"
    )
    _own(code, **pin)
    return code


def ongoing(device: Device, name: str, **pin: object) -> AccessCode:
    code = factories.AccessCodeFactory(device=device, name=name, ongoing=True)
    _own(code, **pin)
    return code


def covered(device: Device, pool: BackupPool, name: str, *, hours: float = 5) -> AccessCode:
    code = guest(device, name, hours=hours, status=Pin.Status.PLANNED, trouble=Pin.Trouble.REJECTED, attempts=3)
    spare = factories.BackupCodeFactory(pool=pool, drawn_at=timezone.now() - timedelta(hours=1))
    Pin.objects.filter(pk=spare.pin_id).update(wanted_from=code.starts_at, wanted_until=code.ends_at)
    spare.pin.refresh_from_db()
    factories.CodePinFactory(code=code, pin=spare.pin, role=CodePin.Role.BACKUP)
    event(
        device, Event.Type.BACKUP_PULLED, subject=code.pk, name=name, backup=spare.code_id, reason="rejected", tries=3
    )
    return code


def event(device: Device, kind: Event.Type, *, subject: object = None, **data: object) -> Event:
    return Event.objects.create(
        workspace=device.property.workspace, device=device, type=kind, at=timezone.now(), subject=subject, data=data
    )


def lively(device: Device) -> BackupPool:
    """Two covered guests, one set, one being set, one in trouble, staff, three ready backups."""
    pool = factories.BackupPoolFactory(device=device)
    factories.BackupCodeFactory.create_batch(3, pool=pool)
    soon = timezone.now() + timedelta(minutes=25)
    guest(device, "Amelia Hart", hours=-20, status=Pin.Status.SET)
    covered(device, pool, "Ben Okafor", hours=3)
    covered(device, pool, "Ana Ruiz", hours=28)
    guest(
        device,
        "Chloé Martin",
        hours=30,
        trouble=Pin.Trouble.NO_ANSWER,
        attempts=1,
        next_attempt_at=timezone.now() + timedelta(minutes=6),
        give_up_at=timezone.now() + timedelta(hours=9),
    )
    guest(device, "Dmitri Wolkow-Hohenstein", hours=1, trouble=Pin.Trouble.NO_ANSWER, attempts=2, give_up_at=soon)
    guest(device, "Eve Later", hours=200, program_at=timezone.now() + timedelta(hours=100))
    ongoing(device, "Housekeeping", status=Pin.Status.SET)
    Device.objects.filter(pk=device.pk).update(unmanaged=[7])
    event(device, Event.Type.DEVICE_CONNECTED)
    return pool


def exhausted(device: Device) -> BackupPool:
    """Offline for hours, no spare left, a guest without a working code."""
    at = timezone.now()
    pool = factories.BackupPoolFactory(device=device, exhausted_since=at - timedelta(minutes=50))
    Device.objects.filter(pk=device.pk).update(
        online=Device.Online.NO,
        online_since=at - timedelta(hours=4),
        failures=6,
        battery=12,
        next_sync_at=at + timedelta(seconds=30),
    )
    covered(device, pool, "Ben Okafor")
    chloe = guest(device, "Chloé Martin", hours=2, trouble=Pin.Trouble.OFFLINE, attempts=4)
    AccessCode.objects.filter(pk=chloe.pk).update(uncovered_since=at)
    gone = guest(device, "Felix Past", hours=-60, status=Pin.Status.REMOVING, wanted=Pin.Wanted.ABSENT)
    AccessCode.objects.filter(pk=gone.pk).update(ended_at=at - timedelta(hours=1))
    event(device, Event.Type.DEVICE_DISCONNECTED)
    event(device, Event.Type.POOL_EXHAUSTED, reason="offline")
    return pool


def _own(code: AccessCode, **pin: object) -> None:
    seen = {"seen_from": code.starts_at, "seen_until": code.ends_at} if pin.get("status") == Pin.Status.SET else {}
    factories.CodePinFactory(code=code, **{f"pin__{name}": value for name, value in {**seen, **pin}.items()})
