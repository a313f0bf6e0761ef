""" "I'm on it": a person takes on a warning, and it is quiet until something new happens.

A lock's pool has its own mark (`backups`); here are a guest (without a working code, who says that the PIN does not
work, or whose PIN changed after it was seen), a lock or hub out of reach, and a former guest's code that may still be
on its lock. Each cause has a moment at which it last brought something new; it is quiet while the mark is no older
than that. A PIN that changed is quiet while the PIN is the one that opened the door when it was taken on.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import CharField, F, OuterRef, Q, QuerySet, UUIDField, Value
from django.db.models.functions import Coalesce, NullIf
from django.utils.html import format_html
from django.utils.translation import gettext as _

from codes.cover import door_pin
from codes.models import AccessCode, TakenOn
from devices.activity import record
from devices.listing import Words
from devices.models import Device, Event, Pin
from portal.clock import now
from portal.models import User
from portal.moments import clock

About = TakenOn.About


def take_on_guest(code: AccessCode, *, actor: User) -> None:
    """Be on whatever is wrong for this guest now: no working code, a report, a PIN that changed after it was seen."""
    with transaction.atomic():
        _mark(code.device.property.workspace_id, About.GUEST, actor, opens=door_pin(code), code=code)
        record(code.device, Event.Type.WARNING_TAKEN_ON, actor=actor, subject=code.pk, name=code.name)


def take_on_lock(device: Device, about: TakenOn.About, *, actor: User) -> None:
    """Be on it that a lock is out of reach (or all of its hub's, if that is down), or keeps an old code."""
    with transaction.atomic():
        workspace_id = device.property.workspace_id
        if about == About.OFFLINE and device.hub.down_since:
            _mark(workspace_id, About.OUTAGE, actor, hub=device.hub)
        else:
            _mark(workspace_id, about, actor, device=device)
        record(device, Event.Type.WARNING_TAKEN_ON, actor=actor, name=device.name)


@dataclass(frozen=True, slots=True)
class Mark:
    """Who is on it, and since when; "" is somebody who is here no longer. `pin`: what opened the guest's door then."""

    who: str
    at: datetime
    pin: int | None = None


type Row = tuple[str, UUID, str | None, datetime, int | None]


class Marks:
    """Who took on what. Each method gives the mark, or None if there is none or it is out of date."""

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        """`rows`: what it is about, the id of the thing, who, when, which PIN opened the door."""
        self.found = {(about, thing): Mark(who or "", at, pin) for about, thing, who, at, pin in rows}

    def of_guest(self, code: AccessCode) -> Mark | None:
        """For home, which has one row for all that is wrong. A changed stay is no news to who is on a report."""
        changed_at = code.changed_at if code.reported_at is None else None
        return self._current(About.GUEST, code.pk, changed_at, code.uncovered_since, code.reported_at)

    def of_uncovered(self, code: AccessCode) -> Mark | None:
        return self._current(About.GUEST, code.pk, code.changed_at, code.uncovered_since)

    def of_report(self, code: AccessCode) -> Mark | None:
        return self._current(About.GUEST, code.pk, code.reported_at)

    def of_pin(self, code: AccessCode, opens: Pin) -> Mark | None:
        """`opens`: what opens the door now, and is not what somebody saw."""
        mark = self.found.get((About.GUEST, code.pk))
        return mark if mark and mark.pin == opens.pk else None

    def of_outage(self, device: Device, *, arrival_near_since: datetime | None = None) -> Mark | None:
        """`arrival_near_since`: since when the next arrival there is one to warn of; a later one is news."""
        if down := device.hub.down_since:
            return self._current(About.OUTAGE, device.hub_id, down, arrival_near_since)
        return self._current(About.OFFLINE, device.pk, device.online_since, arrival_near_since)

    def of_overdue(self, device: Device, latest: datetime) -> Mark | None:
        """`latest`: when the last of the lock's removals became overdue."""
        return self._current(About.OVERDUE, device.pk, latest)

    def _current(self, about: TakenOn.About, thing: UUID, *news: datetime | None) -> Mark | None:
        mark = self.found.get((about, thing))
        return mark if mark and all(moment is None or moment <= mark.at for moment in news) else None


def all_marks() -> Marks:
    """Those of all workspaces."""
    return Marks(mark_rows(TakenOn.objects.all()))


def mark_rows(marks: QuerySet[TakenOn]) -> QuerySet[TakenOn, Row]:
    """The rows that `Marks` takes; those of stays that are over are left out."""
    name = Coalesce(NullIf("by__name", Value("")), "by__email", output_field=CharField())
    thing = Coalesce("code", "device", "hub", output_field=UUIDField())
    kept = marks.filter(Q(code=None) | Q(code__ended_at=None))
    found = kept.annotate(what=F("about"), which=thing, who=name, when=F("at"), opens=F("pin"))
    return found.values_list("what", "which", "who", "when", "opens")


def guests_taken_on() -> QuerySet[TakenOn]:
    """For a query on access codes, what `Marks.of_guest` says: `~Exists(guests_taken_on())`."""
    covered = Q(code__uncovered_since=None) | Q(code__uncovered_since__lte=F("at"))
    reported = Q(code__reported_at__lte=F("at"))
    unreported = Q(code__reported_at=None, code__changed_at__lte=F("at"))
    return TakenOn.objects.filter(covered, reported | unreported, code=OuterRef("pk"))


def words(mark: Mark | None, zone: str) -> Words:
    """`Bob is on it since 14:02.`; "" if nobody is."""
    if mark is None:
        return ""
    return format_html(_("{} is on it since {}."), mark.who or _("Somebody"), clock(mark.at, zone))


def _mark(workspace_id: UUID, about: TakenOn.About, actor: User, opens: Pin | None = None, **thing: Any) -> None:
    """The latest of several people has it."""
    defaults = {"workspace_id": workspace_id, "by": actor, "at": now(), "pin": opens}
    TakenOn.objects.update_or_create(defaults, about=about, **thing)
