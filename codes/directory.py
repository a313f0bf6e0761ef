"""The workspace's codes across all locks: filtered and sorted by the database, a page at a time. Reads only."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any, cast

from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    IntegerField,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Value,
    When,
    Window,
)
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from backups.models import BackupCode
from codes.listing import BACKUP, GUEST, ONGOING, Row, code_row, given_row, health, spare_row
from codes.models import AccessCode, AccessCodeQuerySet, CodePin
from codes.standing import WHERE, Standing, judged
from devices.models import MAYBE_ON_LOCK, Device, Property
from portal.clock import from_wall_clock
from portal.models import Workspace

A_PAGE = 50
KINDS = {"": _("All kinds"), GUEST: _("Guests"), ONGOING: _("Ongoing"), BACKUP: _("Backups")}
SORTS = {
    "": _("Attention first"),
    "starts": _("Check-in"),
    "ends": _("Checkout"),
    "name": _("Name"),
    "lock": _("Property and lock"),
    "newest": _("Newest first"),
}
STANDINGS = {
    Standing.CURRENT: _("Current"),
    Standing.ATTENTION: _("Needs attention"),
    Standing.WAITING: _("Not on lock yet"),
    Standing.SET: _("Set on lock"),
    Standing.COVERED: _("Covered by a backup"),
    Standing.UNCOVERED: _("No backup available"),
    Standing.FAILED: _("Failed"),
    Standing.REMOVING: _("Removing"),
    Standing.OVER: _("Over"),
    Standing.ALL: _("Current and over"),
}
ORDERS: dict[str, list[object]] = {
    "starts": [F("starts_at").asc(nulls_last=True)],
    "ends": [F("ends_at").asc(nulls_last=True)],
    "name": [],
    "lock": ["device__property__name", "device__name", F("starts_at").asc(nulls_last=True)],
    "newest": ["-created_at"],
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person looks for. Dates are days on each property's own calendar, both included."""

    words: str = ""
    kind: str = ""
    status: Standing = Standing.CURRENT
    place: Property | None = None
    since: date | None = None
    until: date | None = None
    sort: str = ""

    @property
    def filtered(self) -> bool:
        return bool(self.words or self.kind or self.status or self.place or self.since or self.until)

    @property
    def narrowed(self) -> bool:
        """By more than words, or in an order somebody chose."""
        return bool(self.sort) or replace(self, words="").filtered


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the list, and the lock it is about."""

    row: Row
    device: Device

    @property
    def zone(self) -> str:
        return self.device.property.time_zone


@dataclass(frozen=True)
class Found:
    """One page of what was found. `total` counts all pages."""

    lines: Sequence[Line]
    total: int
    number: int
    troubled: int | None = None  # how many need attention; None for backups, which nobody can act on

    @property
    def health(self) -> str:
        return health(self.troubled or 0)

    @property
    def last(self) -> int:
        return max(-(-self.total // A_PAGE), 1)

    @property
    def before(self) -> int | None:
        return self.number - 1 if self.number > 1 else None

    @property
    def after(self) -> int | None:
        return self.number + 1 if self.number < self.last else None

    @cached_property
    def pending(self) -> bool:
        return any(line.row.status.pending for line in self.lines)


def page_of(workspace: Workspace, wanted: Wanted, places: Sequence[Property], number: int) -> Found:
    """A page of codes, each with the backup that covers it under it; or of backups. Two queries at any number.

    `places` are the workspace's properties. A number past the end gives the last page, for one more round.
    """
    skipped = (max(number, 1) - 1) * A_PAGE
    if wanted.kind == BACKUP:
        spares = list(_backups(workspace, wanted, places)[skipped : skipped + A_PAGE])
        total = cast(Any, spares[0]).total if spares else 0  # annotated
        lines, troubled = [_backup_line(spare) for spare in spares], None
    else:
        codes = list(_with_pins(_codes(workspace, wanted, places))[skipped : skipped + A_PAGE])
        total = cast(Any, codes[0]).total if codes else 0  # annotated
        troubled = cast(Any, codes[0]).troubled if codes else 0
        lines = [line for code in codes for line in _code_lines(code)]
    if not lines and skipped:
        return page_of(workspace, wanted, places, 1)
    return Found(lines, total, max(number, 1), troubled)


def everything(workspace: Workspace, wanted: Wanted, places: Sequence[Property]) -> Iterator[Line]:
    """All that was found, for an export, in the list's order."""
    if wanted.kind == BACKUP:
        yield from (_backup_line(spare) for spare in _backups(workspace, wanted, places).iterator(chunk_size=500))
        return
    for code in _with_pins(_codes(workspace, wanted, places)).iterator(chunk_size=500):
        yield from _code_lines(code)


def _codes(workspace: Workspace, wanted: Wanted, places: Sequence[Property]) -> AccessCodeQuerySet:
    found = judged(workspace).filter(WHERE[wanted.status])
    if wanted.kind in (GUEST, ONGOING):
        kind = AccessCode.Kind.TIME_BOUND if wanted.kind == GUEST else AccessCode.Kind.ONGOING
        found = found.filter(kind=kind)
    if wanted.place:
        found = found.filter(device__property=wanted.place)
    for word in wanted.words.split():
        found = found.filter(_says(word))
    found = found.filter(_on_days("", wanted, places))
    found = found.annotate(total=Window(Count("pk")), troubled=Window(Count("pk", filter=Q(attention=True))))
    return found.order_by(*_order(wanted.sort), "name", "pk")  # type: ignore[arg-type]


def _order(sort: str) -> list[object]:
    if sort in ORDERS:
        return ORDERS[sort]
    over = Case(When(ended_at=None, then=Value(0)), default=Value(1), output_field=IntegerField())
    return ["-attention", over, F("starts_at").asc(nulls_last=True)]


def _says(word: str) -> Q:
    by_backup = CodePin.objects.filter(code=OuterRef("pk"), pin__backup_code__code_id__istartswith=word)
    return (
        Q(name__icontains=word)
        | Q(booking_reference__icontains=word)
        | Q(device__name__icontains=word)
        | Q(device__property__name__icontains=word)
        | Q(Exists(by_backup))
    )


def _on_days(prefix: str, wanted: Wanted, places: Sequence[Property]) -> Q:
    """Stays that overlap the days, told by the calendar of each one's property. An ongoing code has no days."""
    if wanted.since is None and wanted.until is None:
        return Q()
    found = Q(pk__in=[])
    for zone in sorted({place.time_zone for place in places}):
        days = Q(**{f"{prefix}device__property__time_zone": zone})
        if wanted.since:
            days &= Q(**{f"{prefix}ends_at__gt": _midnight(wanted.since, zone)})
        if wanted.until:
            days &= Q(**{f"{prefix}starts_at__lt": _midnight(wanted.until + timedelta(days=1), zone)})
        found |= days
    return found


def _midnight(day: date, zone: str) -> datetime:
    return from_wall_clock(datetime.combine(day, time(0)), zone)


def _with_pins(codes: AccessCodeQuerySet) -> AccessCodeQuerySet:
    given = CodePin.objects.select_related("pin__backup_code").defer("pin__secret").order_by("pk")
    return codes.select_related("device__property", "device__hub").prefetch_related(Prefetch("code_pins", given))


def _code_lines(code: AccessCode) -> Iterator[Line]:
    for given in code.code_pins.all():
        given.code = code
    yield Line(code_row(code, code.device), code.device)
    for given in code.code_pins.all():
        if given.role == CodePin.Role.BACKUP and (given.ended_at is None or given.pin.maybe_on_lock):
            yield Line(given_row(given), code.device)


def _backups(workspace: Workspace, wanted: Wanted, places: Sequence[Property]) -> QuerySet[BackupCode]:
    """Backups that are on a lock or may be, those in use first. The statuses of guests' codes do not concern them."""
    # By joins: a subquery would be one table more than PostgreSQL puts in order, and it would read all of them.
    found = BackupCode.objects.filter(pool__device__property__workspace=workspace, pin__status__in=MAYBE_ON_LOCK)
    found = found.exclude(pool__device__removal=Device.Removal.REMOVED)
    if wanted.place:
        found = found.filter(pool__device__property=wanted.place)
    for word in (word for word in wanted.words.split() if word.casefold() != "backup"):
        found = found.filter(
            Q(code_id__istartswith=word)
            | Q(pool__device__name__icontains=word)
            | Q(pool__device__property__name__icontains=word)
            | Q(pin__code_pin__code__name__icontains=word)
        )
    if wanted.since or wanted.until:
        found = found.filter(_on_days("pin__code_pin__code__", wanted, places))
    return (
        found.annotate(total=Window(Count("pk")))
        .select_related("pin__code_pin__code", "pool__device__property", "pool__device__hub")
        .defer("pin__secret")
        .order_by(
            F("drawn_at").desc(nulls_last=True), "pool__device__property__name", "pool__device__name", "position", "pk"
        )
    )


def _backup_line(spare: BackupCode) -> Line:
    device = spare.pool.device
    given = getattr(spare.pin, "code_pin", None)
    if given is None:
        return Line(spare_row(spare, device), device)
    given.pin = spare.pin
    spare.pin.backup_code = spare
    return Line(given_row(given), device)
