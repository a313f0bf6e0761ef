"""All that a lock's page tells of PINs, in one query: guests' codes with each PIN they were given, and the pool's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import DateTimeField, Q, QuerySet

from backups.models import BackupCode
from backups.status import RECENT, OnLock, told
from codes.models import AccessCode, CodePin
from devices.models import MAYBE_ON_LOCK, Device, Pin
from portal.bare import Bare, paths, split
from portal.clock import now
from portal.prepared import Given, Prepared

KEPT = timedelta(hours=24)  # how long a code that is over and off the lock stays in the list
PARTS: tuple[Bare[Any], ...] = (
    Bare(
        Pin,
        *("status", "wanted", "wanted_from", "wanted_until", "seen_from", "seen_until", "program_at", "give_up_at"),
        *("confirmed_at", "trouble", "attempts", "next_attempt_at", "priority"),
    ),
    Bare(CodePin, "role", "ended_at", "code_id", "pin_id", path="code_pin__"),
    Bare(
        AccessCode,
        *("name", "kind", "booking_reference", "starts_at", "ends_at", "ended_at", "failed_at", "uncovered_since"),
        "reported_at",
        path="code_pin__code__",
    ),
    Bare(BackupCode, "code_id", "drawn_at", "retired_at", path="backup_code__"),
)


@dataclass(frozen=True, slots=True)
class LockPins:
    """`codes`: live, live within a day, or still on the lock; `code_pins` is filled as if it had been prefetched."""

    codes: Sequence[AccessCode]
    backups: OnLock


def _found() -> QuerySet[Pin, Any]:
    over_lately = Q(code_pin__code__ended_at__gt=Given("kept", DateTimeField()))
    live = Q(code_pin__isnull=False, code_pin__code__ended_at=None)
    backups = told(since=Given("drawn", DateTimeField()))
    mine = Pin.objects.filter(device=Given("device", Device._meta.pk))
    found = mine.filter(over_lately | live | backups | Q(status__in=MAYBE_ON_LOCK))
    return found.order_by("code_pin", "pk").values_list(*paths(*PARTS))


FOUND = Prepared(_found)


def lock_pins(device: Device) -> LockPins:
    """What one lock's page needs. One query; the rows hold the columns that are shown."""
    codes: dict[UUID, AccessCode] = {}
    given: dict[UUID, list[CodePin]] = {}
    backups: list[BackupCode] = []
    used = 0
    at = now()
    for values in FOUND(device=device.pk, kept=at - KEPT, drawn=at - RECENT):
        pin, one, code, backup = split(values, *PARTS)
        pin._state.fields_cache = {"device": device, "code_pin": one, "backup_code": backup}
        used += pin.maybe_on_lock
        if backup:
            backup._state.fields_cache = {"pin": pin}
            backups.append(backup)
        if one:
            code = codes.setdefault(one.code_id, code)
            one._state.fields_cache = {"code": code, "pin": pin}
            given.setdefault(one.code_id, []).append(one)
    for pk, code in codes.items():
        code._state.fields_cache = {"device": device}
        code._prefetched_objects_cache = {"code_pins": given[pk]}  # type: ignore[attr-defined]
    return LockPins(list(codes.values()), OnLock(backups, used))
