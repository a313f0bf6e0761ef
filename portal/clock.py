"""What time it is. Stays and retries go by `now()`; leases and queue marks by the database's clock (`Now()`)."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


def now() -> datetime:
    """The instant, aware, in UTC."""
    return datetime.now(UTC)


def from_wall_clock(wall: datetime, zone: str, *, end: bool = False) -> datetime:
    """The instant of a naive wall-clock time in a zone.

    A time in a spring gap moves forward by the gap. A time in an autumn fold takes its first occurrence, or its
    second with `end=True`, so a stay is never cut short. Raises ZoneInfoNotFoundError for an unknown zone.
    """
    tz = ZoneInfo(zone)
    first, second = (wall.replace(tzinfo=tz, fold=fold) for fold in (0, 1))
    before, after = first.utcoffset(), second.utcoffset()
    assert before is not None and after is not None  # noqa: S101  a zoned time has an offset
    in_gap = before < after
    chosen = first if in_gap or not end else second
    return chosen.astimezone(ZoneInfo("UTC"))


def wall_clock(instant: datetime, zone: str) -> datetime:
    """The instant as an aware time in the zone."""
    return instant.astimezone(ZoneInfo(zone))
