"""Which window a lock is told, so that it opens for the whole stay by its own clock. Pure."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from devices.providers.base import ALWAYS, Capabilities, Window


def window_for(caps: Capabilities, zone: str, wanted: Window, at: datetime) -> Window:
    """The window to write for a wanted one. Always, on a lock that keeps no schedules.

    A lock that keeps local time may or may not turn its clock with the zone: where the zone's offset changes between
    the writing and the window's end, the window is widened by the change at both ends. We end it by removal.
    """
    if not caps.native_schedules:
        return ALWAYS
    slack = _offset_change(zone, wanted, at) if caps.schedule_clock == "local" else timedelta(0)
    return Window(
        wanted.starts_at - slack if wanted.starts_at else None,
        wanted.ends_at + slack if wanted.ends_at else None,
    )


def _offset_change(zone: str, wanted: Window, at: datetime) -> timedelta:
    """How far the zone's offsets at the writing, the start and the end lie apart."""
    moments = [moment for moment in (at, wanted.starts_at, wanted.ends_at) if moment]
    offsets = [moment.astimezone(ZoneInfo(zone)).utcoffset() or timedelta(0) for moment in moments]
    return max(offsets) - min(offsets)
