"""The workspace's activity: one timeline, newest first, filtered, in pages by key. Reads only."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from devices import history
from devices.history import Entry
from devices.models import Device, Event
from portal.clock import now
from portal.models import Workspace

A_PAGE = 50
CHUNK = 500

T = Event.Type
KINDS = {
    "backups": (_("Backups pulled"), {T.BACKUP_PULLED, T.UNCOVERED}),
    "trouble": (
        _("Trouble"),
        {
            T.CODE_DELAYED,
            T.CODE_FAILED,
            T.CODE_REMOVAL_LATE,
            T.CODE_CHANGED_OUTSIDE,
            T.CODE_DELETED_OUTSIDE,
            T.UNCOVERED,
            T.POOL_EXHAUSTED,
            T.DEVICE_DISCONNECTED,
            T.DEVICE_LOW_BATTERY,
            T.STRAY_FOUND,
            T.WARNING_TAKEN_ON,
        },
    ),
    "codes": (_("Guests’ codes"), {kind for kind in T if kind.startswith("access_code.")}),
    "shown": (_("PINs shown"), {T.CODE_REVEALED, T.CODE_OPENED_BY_GUEST}),
    "pools": (_("Backup pools"), {kind for kind in T if kind.startswith(("backup_pool.", "backup_code."))}),
    "team": (_("People and settings"), {kind for kind in T if kind.startswith(("person.", "workspace."))}),
    "locks": (_("Locks"), {kind for kind in T if kind.startswith(("device.", "unmanaged."))}),
    "staff": (_("Our staff"), {kind for kind in T if kind.startswith("staff.")}),
    "places": (_("Properties and hubs"), {kind for kind in T if kind.startswith(("property.", "hub."))}),
}


@dataclass(frozen=True, slots=True)
class Filter:
    """What of the timeline is wanted. Unknown values want everything, except a lock or code that is not there."""

    lock: str = ""
    code: str = ""
    kind: str = ""
    words: str = ""

    @property
    def any(self) -> bool:
        return bool(self.lock or self.code or self.kind or self.words)


@dataclass(frozen=True, slots=True)
class Line:
    """One event on the page: its sentence, and what it leads to."""

    event: Event
    entry: Entry

    @property
    def device(self) -> Device | None:
        return self.event.device

    @property
    def zone(self) -> str:
        return self.event.device.property.time_zone if self.event.device else self.event.data.get("zone", "UTC")

    @property
    def about_property(self) -> str:
        """The id of the property it is about, "" if of none."""
        return str(self.event.data.get("property", "")) if self.event.device is None else ""


@dataclass(frozen=True, slots=True)
class Slice:
    """A page: its lines, and the key after which the next, older one begins; "" at the end."""

    lines: list[Line] = field(default_factory=list)
    older: str = ""


def events(workspace: Workspace, wanted: Filter) -> QuerySet[Event]:
    """The workspace's events, newest first."""
    found = Event.objects.filter(workspace=workspace).select_related("actor", "device__property")
    if wanted.kind in KINDS:
        found = found.filter(type__in=KINDS[wanted.kind][1])
    for name, value in (("device", wanted.lock), ("subject", wanted.code)):
        if value:
            key = _uuid(value)
            found = found.filter(**{name: key}) if key else found.none()
    for word in wanted.words.split():
        found = found.filter(Q(data__name__icontains=word) | Q(data__backup__iexact=word))
    return found.order_by("-at", "-pk")


def page_of(workspace: Workspace, wanted: Filter, before: str = "") -> Slice:
    """Fifty events, those before the key if there is one. One query, as fast on the last page as on the first."""
    found = list(_after(events(workspace, wanted), before)[: A_PAGE + 1])
    lines = [line_of(event) for event in found[:A_PAGE]]
    return Slice(lines, _key(found[A_PAGE - 1]) if len(found) > A_PAGE else "")


def all_of(workspace: Workspace, wanted: Filter) -> Iterator[Line]:
    """Every line, for an export, read in chunks."""
    return (line_of(event) for event in events(workspace, wanted).iterator(chunk_size=CHUNK))


def line_of(event: Event) -> Line:
    return Line(event, history.entry_of(event))


def locks(workspace: Workspace) -> QuerySet[Device]:
    """The locks to choose from, removed ones too: what happened there is not forgotten."""
    return (
        Device.objects.filter(property__workspace=workspace)
        .select_related("property")
        .order_by("property__name", "name")
    )


def _after(found: QuerySet[Event], key: str) -> QuerySet[Event]:
    at, _dot, pk = key.partition("~")
    try:
        moment, number = datetime.fromisoformat(at), int(pk)
    except ValueError:
        return found
    return found.filter(Q(at__lt=moment) | Q(at=moment, pk__lt=number)) if moment.tzinfo else found


def _key(event: Event) -> str:
    return f"{event.at.isoformat()}~{event.pk}"


def _uuid(value: Any) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None


def filename() -> str:
    return f"activity-{now():%Y-%m-%d}.csv"
