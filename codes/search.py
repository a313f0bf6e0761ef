"""Search in the header: guests by name and booking reference, doors, properties. Reads only, four queries at any size.

Names are compared here and not in the database: SQLite knows no case beyond ASCII, and nobody types accents at night.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from codes.listing import Row, code_row
from codes.models import AccessCode, CodePin
from devices.models import Device, Property
from portal.clock import now
from portal.models import Workspace
from portal.words import fold, found

MOST = 10  # of a kind
PAST = timedelta(days=90)  # stays that ended longer ago are on the activity page


@dataclass(frozen=True, slots=True)
class Guest:
    """A code that was found, as a row like in its lock's list."""

    code: AccessCode
    row: Row

    @property
    def zone(self) -> str:
        return self.code.device.property.time_zone

    @property
    def may_be_covered(self) -> bool:
        return self.row.kind == "guest" and not self.row.over and not self.row.cover


@dataclass(frozen=True, slots=True)
class Found:
    """What was found, the likeliest first, ten of a kind; `more` guests there are."""

    guests: Sequence[Guest] = ()
    doors: Sequence[Device] = ()
    properties: Sequence[Property] = ()
    more: int = 0

    @property
    def nothing(self) -> bool:
        return not (self.guests or self.doors or self.properties)


def search(workspace: Workspace, text: str) -> Found:
    """All words of `text` in a guest's name, reference, door and property, one at least in name or reference."""
    words = fold(text).split()
    if not words:
        return Found()
    codes = _codes(workspace, words)
    doors = list(Device.objects.of(workspace).select_related("property", "hub").order_by("property__name", "name"))
    places = Property.objects.filter(workspace=workspace).order_by("name")
    return Found(
        guests=_guests(codes[:MOST]),
        doors=[door for door in doors if _of_door(words, door)][:MOST],
        properties=[place for place in places if found(words, place.name, place.address)][:MOST],
        more=max(len(codes) - MOST, 0),
    )


def _codes(workspace: Workspace, words: list[str]) -> list[UUID]:
    """Who is here now comes first, then who comes next, then staff, then who left last."""
    at = now()
    recent = Q(ended_at=None) | Q(ended_at__gt=at - PAST)
    rows = (
        AccessCode.objects.of(workspace)
        .filter(recent)
        .values_list(
            "pk", "name", "booking_reference", "device__name", "device__property__name", "starts_at", "ended_at"
        )
    )
    hits = [
        (_order(name, starts_at, ended_at, at), pk)
        for pk, name, reference, door, place, starts_at, ended_at in rows
        if found(words, name, reference, door, place) and any(found([word], name, reference) for word in words)
    ]
    return [pk for _, pk in sorted(hits)]


def _order(name: str, starts_at: datetime | None, ended_at: datetime | None, at: datetime) -> tuple[int, float, str]:
    if ended_at is not None:
        return 3, -ended_at.timestamp(), name
    if starts_at is None:
        return 2, 0.0, name
    return (0, -starts_at.timestamp(), name) if starts_at <= at else (1, starts_at.timestamp(), name)


def _guests(codes: list[UUID]) -> list[Guest]:
    """The codes with all their PINs. One query: `code_pins` is filled as if it had been prefetched."""
    given = (
        CodePin.objects.filter(code__in=codes)
        .select_related("pin__backup_code", "code__device__property", "code__device__hub")
        .order_by("pk")
    )
    by_code: dict[UUID, list[CodePin]] = {}
    for one in given:
        by_code.setdefault(one.code_id, []).append(one)
    return [_guest(by_code[pk]) for pk in codes if pk in by_code]


def _guest(given: list[CodePin]) -> Guest:
    code = given[0].code
    for one in given:
        one.code = code
    code._prefetched_objects_cache = {"code_pins": given}  # type: ignore[attr-defined]
    return Guest(code, code_row(code, code.device))


def _of_door(words: list[str], door: Device) -> bool:
    """A property's name alone finds the property, not all its doors."""
    near = found(words, door.name, door.make, door.model, door.property.name)
    return near and any(found([word], door.name, door.make, door.model) for word in words)
