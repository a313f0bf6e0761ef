"""What the workspace's people should hear of now, as the rows say. Reads only; the same few queries for any number."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import batched
from uuid import UUID

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from backups.models import BackupCode, BackupPool
from backups.status import RECENT, SEVERAL
from codes.at_risk import ARRIVING
from codes.cover import door_pin
from codes.models import AccessCode, CodePin, leaves_by
from codes.status import OVERDUE
from codes.taken_on import Marks, all_marks
from devices import listing
from devices.models import MAYBE_ON_LOCK, Device, Hub, Pin
from portal.clock import now
from portal.models import MailKind

A_BATCH = 5_000  # ids in a statement: databases take so many


@dataclass(frozen=True, slots=True)
class Finding:
    """One cause. `code`: the guest it is about, or who arrives next. `since`: when it began, as far as is known."""

    kind: MailKind
    key: str
    group: str
    device: Device
    code: AccessCode | None = None
    since: datetime | None = None
    count: int = 0
    quiet: bool = False  # somebody is on it
    news_at: datetime | None = None  # when it last brought something new, where `quiet` alone does not tell


def findings() -> dict[str, Finding]:
    """Everything that is to be warned of now, in all workspaces, by key."""
    at, taken = now(), all_marks()
    found = [
        *_uncovered(at, taken),
        *_reported(at, taken),
        *_pin_changed(at, taken),
        *_exhausted(),
        *_offline(at, taken),
        *_overdue(at, taken),
        *_several(at),
    ]
    return {finding.key: finding for finding in found}


def group_of(device: Device) -> str:
    """A hub that is down is one cause, however many locks are behind it."""
    return f"hub:{device.hub_id}" if device.hub.down_since else f"device:{device.pk}"


def _locks() -> QuerySet[Device]:
    return Device.objects.filter(removal=Device.Removal.KEPT).select_related(
        "property__workspace", "hub", "backup_pool"
    )


def _guests(at: datetime, few: Q) -> QuerySet[AccessCode]:
    """Codes that are not over, with their lock. The few by themselves: SQLite would begin with all locks."""
    live = AccessCode.objects.live()
    return (
        live.filter(pk__in=live.filter(few).values("pk"))
        .exclude(leaves_by(at))
        .filter(device__removal=Device.Removal.KEPT)
        .select_related("device__property__workspace", "device__hub")
    )


def _uncovered(at: datetime, taken: Marks) -> Iterator[Finding]:
    for code in _guests(at, Q(uncovered_since__isnull=False)).order_by("starts_at"):
        key = f"uncovered:{code.pk}"
        yield Finding(
            MailKind.UNCOVERED,
            key,
            group_of(code.device),
            code.device,
            code=code,
            since=code.uncovered_since,
            quiet=taken.of_uncovered(code) is not None,
        )


def _reported(at: datetime, taken: Marks) -> Iterator[Finding]:
    """A guest says that the PIN does not work, and nobody has said yet that it is settled."""
    for code in _guests(at, Q(reported_at__isnull=False)).order_by("reported_at"):
        key, since, quiet = f"reported:{code.pk}", code.reported_at, taken.of_report(code) is not None
        yield Finding(MailKind.REPORTED, key, f"code:{code.pk}", code.device, code=code, since=since, quiet=quiet)


def _pin_changed(at: datetime, taken: Marks) -> Iterator[Finding]:
    """Somebody saw a PIN that is not the one which opens the door now, and nobody has seen that one yet.

    Only a code that was given more than one: of them there are few.
    """
    given = CodePin.objects.filter(code=OuterRef("pk"))
    seen, unseen = given.filter(revealed_at__isnull=False), given.filter(revealed_at=None, ended_at=None)
    pins = Prefetch("code_pins", CodePin.objects.select_related("pin").order_by("pk"))
    several = _guests(at, Q(another_pin__isnull=False))
    for code in several.filter(Exists(seen), Exists(unseen)).prefetch_related(pins):
        opens = door_pin(code)
        by_pin = {one.pin_id: one for one in code.code_pins.all()}
        if opens is None or by_pin[opens.pk].revealed_at is not None:
            continue
        since = by_pin[opens.pk].given_at
        key, quiet = f"changed:{opens.pk}", taken.of_pin(code, opens) is not None
        yield Finding(MailKind.PIN_CHANGED, key, f"code:{code.pk}", code.device, code=code, since=since, quiet=quiet)


def _exhausted() -> Iterator[Finding]:
    exhausted = BackupPool.objects.filter(exhausted_since__isnull=False)
    for device in _locks().filter(pk__in=exhausted.values("device")).order_by("pk"):
        since = device.backup_pool.exhausted_since
        key = f"exhausted:{device.pk}"
        yield Finding(MailKind.EXHAUSTED, key, group_of(device), device, since=since, quiet=_taken_on(device))


def _several(at: datetime) -> Iterator[Finding]:
    pulled = Counter(BackupCode.objects.filter(drawn_at__gt=at - RECENT).values_list("pool", flat=True))
    counts = {pool: count for pool, count in pulled.items() if count >= SEVERAL}
    for device in _locks().filter(backup_pool__in=counts) if counts else ():
        key, count = f"several:{device.pk}", counts[device.backup_pool.pk]
        yield Finding(MailKind.SEVERAL, key, group_of(device), device, count=count, quiet=_taken_on(device))


def _offline(at: datetime, taken: Marks) -> Iterator[Finding]:
    away = _away()
    arriving = Q(starts_at__gt=at, starts_at__lte=at + ARRIVING, device__in=away)
    next_guest: dict[UUID, AccessCode] = {}
    for code in _guests(at, arriving).order_by("starts_at") if away else ():
        next_guest.setdefault(code.device_id, code)
    for device in _locks().filter(pk__in=next_guest) if next_guest else ():
        near_since = arrival_near_since(next_guest[device.pk])
        yield Finding(
            MailKind.OFFLINE,
            f"offline:{device.pk}",
            group_of(device),
            device,
            code=next_guest[device.pk],
            since=device.hub.down_since or device.online_since,
            quiet=_taken_on(device) or taken.of_outage(device, arrival_near_since=near_since) is not None,
            news_at=near_since,
        )


def _away() -> list[UUID]:
    """Locks that are offline, or whose hub is down: each found by an index of its own."""
    behind = Device.objects.filter(hub__in=list(Hub.objects.filter(down_since__isnull=False)))
    alone = Device.objects.filter(online=Device.Online.NO)
    return [pk for locks in (behind, alone) for pk in locks.values_list("pk", flat=True)]


def arrival_near_since(code: AccessCode) -> datetime | None:
    """Since when a lock that is offline is warned of for this guest."""
    return max(code.starts_at - ARRIVING, code.changed_at) if code.starts_at else None


def _overdue(at: datetime, taken: Marks) -> Iterator[Finding]:
    """A former guest's PIN that may still be on its lock; one cause a lock."""
    by_lock: dict[UUID, list[CodePin]] = {}
    for one in sorted(_late(at), key=lambda one: (one.ended_at is None, one.ended_at)):
        by_lock.setdefault(one.code.device_id, []).append(one)
    for first, *others in by_lock.values():
        device, since = first.code.device, first.ended_at or first.pin.wanted_until
        latest = max(one.ended_at or one.pin.wanted_until or at for one in (first, *others)) + OVERDUE
        yield Finding(
            MailKind.OVERDUE,
            f"overdue:{device.pk}",
            group_of(device),
            device,
            code=first.code,
            since=since,
            quiet=taken.of_overdue(device, latest) is not None,
        )


def _late(at: datetime) -> Iterator[CodePin]:
    """What should have left: nothing pursues it, or its stay is over and the tick has not come to end it."""
    given = (
        CodePin.objects.filter(pin__status__in=MAYBE_ON_LOCK)
        .exclude(code__device__removal=Device.Removal.REMOVED)
        .select_related("pin", "code__device__property__workspace", "code__device__hub")
    )
    late = Q(ended_at__lte=at - OVERDUE, pin__wanted=Pin.Wanted.ABSENT) | Q(pin__wanted_until__lte=at - OVERDUE)
    found = [*Pin.objects.leaving_ids(), *Pin.objects.outstaying_ids(at - OVERDUE)]
    for some in batched(found, A_BATCH, strict=False):
        yield from given.filter(late, pin__in=some)


def still_away(device: Device) -> bool:
    """A lock that is offline stays so although the guest who was to arrive is in."""
    return device.removal == Device.Removal.KEPT and listing.unreachable(device)


def _taken_on(device: Device) -> bool:
    pool: BackupPool | None = getattr(device, "backup_pool", None)
    return pool is not None and pool.acknowledged_at is not None
