"""A property's time zone is changed: stays that have not begun keep their wall-clock times."""

from datetime import datetime

from django.db import transaction

from codes.models import AccessCode
from codes.services import change_code
from devices.activity import record_place
from devices.models import Event, Property
from portal.clock import from_wall_clock, now, wall_clock
from portal.models import User


def stays_to_move(place: Property) -> list[AccessCode]:
    """The stays that a change of zone would move: those to come. For asking before it is done."""
    return list(
        AccessCode.objects.live()
        .filter(device__property=place, kind=AccessCode.Kind.TIME_BOUND, starts_at__gt=now())
        .select_related("device__property__workspace")
        .order_by("starts_at")
    )


def change_time_zone(place: Property, zone: str, *, actor: User | None = None) -> int:
    """Set the property's zone; check-in and checkout of stays to come stay what the clock on the wall says.

    Gives the number of stays moved. Raises ValidationError for an unknown zone, and then changes nothing.
    """
    with transaction.atomic():
        place = Property.objects.select_for_update().get(pk=place.pk)
        moved, old = stays_to_move(place), place.time_zone
        place.time_zone = zone
        place.full_clean()
        place.save(update_fields=["time_zone"])
        if zone != old:
            record_place(place, Event.Type.PROPERTY_ZONE_CHANGED, actor=actor, was=old, stays=len(moved))
        for code in moved:
            starts_at, ends_at = moved_to(code, old, zone)
            change_code(code, name=code.name, starts_at=starts_at, ends_at=ends_at, actor=actor)
    return len(moved)


def moved_to(code: AccessCode, old: str, new: str) -> tuple[datetime | None, datetime | None]:
    """The stay's window when the clock on its wall is another zone's."""
    return _same_wall_clock(code.starts_at, old, new), _same_wall_clock(code.ends_at, old, new, end=True)


def _same_wall_clock(instant: datetime | None, old: str, new: str, *, end: bool = False) -> datetime | None:
    if instant is None:
        return None
    return from_wall_clock(wall_clock(instant, old).replace(tzinfo=None), new, end=end)
