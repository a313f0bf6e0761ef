"""What pages say about a lock's pool of backup codes: its state, and the warning if there is one. Reads only.

`pools_of(devices)` answers for any number of locks with the same number of queries.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypedDict
from uuid import UUID

from django.db.models import Case, Count, F, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django_stubs_ext import WithAnnotations

from backups.models import BackupCode, BackupPool
from backups.services import SETTING_UP
from devices import listing
from devices.listing import Words
from devices.models import MAYBE_ON_LOCK, Device, Pin
from portal.clock import now
from portal.models import Workspace
from portal.moments import clock
from portal.prepared import Given

RECENT = timedelta(days=7)
SEVERAL = 2


class State(StrEnum):
    CHECKING = "checking"  # nobody knows yet whether the lock supports backups
    SETTING_UP = "setting_up"  # new, and not full for the first time yet
    READY = "ready"
    LOW = "low"
    EXHAUSTED = "exhausted"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class PoolStatus:
    """A lock's pool as a page shows it. `pending`: it is about to change by itself."""

    state: State
    ready: int
    size: int
    sentence: Words
    tone: str
    pool: BackupPool | None = None
    pulled: int = 0  # in the last seven days
    used: int = 0  # PINs of ours that may be on the lock
    pending: bool = False
    alone: bool = False  # asked for one lock's page, which may ask more
    codes: Sequence[BackupCode] = field(default=())  # spares and draws if alone; draws of who stays if `with_guests`

    @property
    def warns(self) -> bool:
        return self.state == State.EXHAUSTED or self.pulled >= SEVERAL

    @property
    def spaces(self) -> list[bool]:
        """The gauge: one a place, True where a spare is ready."""
        return [place < self.ready for place in range(self.size)]


@dataclass(frozen=True, slots=True)
class OnLock:
    """A lock's backups that its page tells of, with their pins; and how many PINs of ours may be on the lock in all."""

    codes: Sequence[BackupCode]
    used: int


def told(path: str = "backup_code__", *, since: datetime | Given) -> Q:
    """Backups that are spare or were drawn lately. Those that may be on the lock are told of as well."""
    spare = Q(**{f"{path}drawn_at": None, f"{path}retired_at": None, f"{path}pk__isnull": False})
    return spare | Q(**{f"{path}drawn_at__gt": since})


def on_lock(device: Device) -> OnLock:
    """One query; one more when the pool has no code at all."""
    mine = Pin.objects.filter(device=device).maybe_on_lock()
    codes = list(
        BackupCode.objects.filter(
            Q(pin__status__in=MAYBE_ON_LOCK) | told("", since=now() - RECENT), pool__device=device
        )
        .select_related("pin__code_pin__code")
        .defer("pin__secret", "pin__code_pin__code__guest_nonce")
        .annotate(used=count_of(mine))
    )
    used: int = codes[0].used if codes else mine.count()  # type: ignore[attr-defined]  # annotated
    for code in codes:
        code.pin.backup_code = code
    return OnLock(codes, used)


def pool_of(device: Device, found: OnLock | None = None) -> PoolStatus:
    """One lock's pool, given the device with its `backup_pool`. No query, given what was found on the lock."""
    pool: BackupPool | None = getattr(device, "backup_pool", None)
    found = found or on_lock(device)
    recent = now() - RECENT
    base = status(
        device,
        pool,
        ready=sum(is_ready(code) for code in found.codes),
        pulled=sum(code.drawn_at is not None and code.drawn_at > recent for code in found.codes),
        used=found.used,
    )
    return replace(base, alone=True, codes=found.codes)


def pools_of(devices: Iterable[Device]) -> dict[UUID, PoolStatus]:
    """The pools of many locks, by lock. One query."""
    devices = list(devices)
    pools = {pool.device_id: pool for pool in counted(BackupPool.objects.filter(device__in=devices))}
    statuses = {}
    for device in devices:
        pool = pools.get(device.pk)
        ready, pulled, used = (pool.ready_count, pool.pulled_count, pool.used_count) if pool else (0, 0, 0)
        statuses[device.pk] = status(device, pool, ready=ready, pulled=pulled, used=used)
    return statuses


def with_guests(statuses: Mapping[UUID, PoolStatus]) -> dict[UUID, PoolStatus]:
    """The same with the backups that guests hold now, so that a warning can say whom it affects. One query."""
    held = BackupCode.objects.filter(pool__device__in=statuses, pin__code_pin__ended_at=None, drawn_at__isnull=False)
    codes: dict[UUID, list[BackupCode]] = {}
    for code in held.select_related("pool", "pin__code_pin__code").defer("pin__secret").order_by("drawn_at"):
        codes.setdefault(code.pool.device_id, []).append(code)
    return {device_id: replace(status, codes=codes.get(device_id, ())) for device_id, status in statuses.items()}


class Counts(TypedDict):
    ready_count: int
    pulled_count: int
    used_count: int


type CountedPools = QuerySet[WithAnnotations[BackupPool, Counts]]


def counted(pools: QuerySet[BackupPool]) -> CountedPools:
    """Pools with `ready_count`, `pulled_count` (the last seven days) and `used_count` (places used on the lock)."""
    ready = Q(
        codes__drawn_at=None,
        codes__retired_at=None,
        codes__pin__status=Pin.Status.SET,
        codes__pin__wanted=Pin.Wanted.PRESENT,
    )
    on_lock = Pin.objects.filter(device=OuterRef("device")).maybe_on_lock()
    return pools.annotate(
        ready_count=Count("codes", filter=ready),
        pulled_count=Count("codes", filter=Q(codes__drawn_at__gt=now() - RECENT)),
        used_count=count_of(on_lock),
    )


def count_of(pins: QuerySet[Pin]) -> Coalesce:
    """How many of one lock's PINs there are, as a part of another query."""
    return Coalesce(Subquery(pins.order_by().values("device").annotate(count=Count("pk")).values("count")), 0)


def warned(workspace: Workspace) -> CountedPools:
    """The workspace's pools that warn, exhausted first; those that somebody is on included."""
    kept = Device.objects.of(workspace).filter(removal=Device.Removal.KEPT)
    pools = BackupPool.objects.filter(device__in=kept, device__capabilities__backup_pool=True)
    settled = (
        Q(filled_at__isnull=False)
        | Q(activated_at__lte=now() - SETTING_UP)
        | Q(device__online=Device.Online.NO)
        | Q(device__hub__down_since__isnull=False)
        | Q(pulled_count__gt=0)
    )
    return (
        counted(pools)
        .filter(Q(settled, ready_count=0) | Q(pulled_count__gte=SEVERAL))
        .order_by("ready_count", "device__property__name", "device__name")
    )


def causes(workspace: Workspace) -> CountedPools:
    """Pools whose warning nobody has taken on, each with its `cause`: the lock, or the hub that is down."""
    hub_is_down = When(device__hub__down_since__isnull=False, then=F("device__hub"))
    return (
        warned(workspace).filter(acknowledged_at=None).annotate(cause=Case(hub_is_down, default=F("device"))).order_by()
    )


def warning_count(workspace: Workspace) -> int:
    """How many causes of pool warnings nobody has taken on. A hub that is down is one, however many its locks."""
    return len(set(causes(workspace).values_list("cause", flat=True)))


def status(device: Device, pool: BackupPool | None, *, ready: int, pulled: int, used: int) -> PoolStatus:
    """The pool's state in words, from what was counted."""
    state = _state(device, pool, ready, pulled)
    size = pool.size if pool else 0
    sentence, tone, pending = _words(state, device, pool, ready, used)
    return PoolStatus(state, ready, size, sentence, tone, pool, pulled=pulled, used=used, pending=pending)


def commonest_trouble(device: Device) -> str:
    """The commonest Pin.Trouble among guests' own PINs that failed in the last seven days; "" when none did."""
    failed = Pin.objects.filter(device=device, code_pin__role="own", code_pin__given_at__gt=now() - RECENT)
    counts = Counter(failed.exclude(trouble=Pin.Trouble.NONE).values_list("trouble", flat=True))
    return counts.most_common(1)[0][0] if counts else ""


def is_ready(code: BackupCode) -> bool:
    """A spare on the lock, as the lock itself said: like `BackupCode.objects.ready()`."""
    spare = code.drawn_at is None and code.retired_at is None
    return spare and code.pin.status == Pin.Status.SET and code.pin.wanted == Pin.Wanted.PRESENT


def _state(device: Device, pool: BackupPool | None, ready: int, pulled: int) -> State:
    if device.caps is None or device.caps.backup_pool is None:
        return State.CHECKING
    if not device.caps.backup_pool:
        return State.UNSUPPORTED
    if pool is None:
        return State.SETTING_UP
    if ready >= pool.size:
        return State.READY
    young = pool.filled_at is None and pool.activated_at > now() - SETTING_UP and not pulled
    if young and not listing.unreachable(device):
        return State.SETTING_UP
    return State.LOW if ready else State.EXHAUSTED


def _words(state: State, device: Device, pool: BackupPool | None, ready: int, used: int) -> tuple[Words, str, bool]:
    """Sentence, tone, and whether it is about to change by itself."""
    size = pool.size if pool else 5
    count = format_html(_("<strong>{}</strong> of {} ready."), ready, size)
    if state == State.CHECKING:
        return _("Checking whether this lock supports backup codes."), "wait", True
    if state == State.UNSUPPORTED:
        return _("This lock does not support backup codes. We warn you if a guest’s code fails."), "quiet", False
    if state == State.SETTING_UP:
        return format_html(_("Setting up: <strong>{}</strong> of {} ready."), ready, size), "wait", True
    if state == State.READY:
        return count, "ok", False
    reason = _hindrance(device, used)
    if state == State.EXHAUSTED:
        since = (pool.exhausted_since or pool.activated_at) if pool else now()
        told = format_html(_("Exhausted since {}."), clock(since, listing.zone_of(device)))
        return format_html("{} {}", count, told), "bad", not reason
    if reason:
        return format_html("{} {}", count, reason), "warn", False
    more = _("Setting %(missing)d more.") % {"missing": size - ready}
    return format_html("{} {}", count, more), "info", True


def _hindrance(device: Device, used: int) -> Words:
    """Why the pool does not fill up now; "" when nothing holds it up."""
    if listing.unreachable(device):
        return _("Refills when the lock reconnects.")
    if listing.full(device, used):
        slots = device.caps.slots if device.caps else 0
        return _("Lock full: %(slots)d of %(slots)d spaces used.") % {"slots": slots}
    if not device.trouble or not device.trouble_count:
        return ""
    if device.trouble == Pin.Trouble.PROVIDER:
        trouble = _("The lock maker’s system has errors")
    else:
        reason = str(Pin.Trouble(device.trouble).label)
        trouble = reason[:1].upper() + reason[1:]
    if not device.next_sync_at:
        return f"{trouble}."
    return format_html(_("{}; next try {}."), trouble, clock(device.next_sync_at, listing.zone_of(device)))
