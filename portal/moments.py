"""Times as people read them: the property's wall clock, short, inside a `<time>` that carries the instant."""

from datetime import datetime, timedelta

from django.utils.formats import date_format
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from portal.clock import now, wall_clock

THIS_WEEK = timedelta(days=6)


def moment(instant: datetime, zone: str) -> SafeString:
    """`23 Nov 15:00`, with the year where it is not this one."""
    return _time(instant, _moment_words(wall_clock(instant, zone), wall_clock(now(), zone)))


def clock(instant: datetime, zone: str) -> SafeString:
    """`14:40` today, else with its date."""
    return _time(instant, clock_words(instant, zone))


def clock_words(instant: datetime, zone: str) -> str:
    """The same without the element."""
    local, today = wall_clock(instant, zone), wall_clock(now(), zone)
    return f"{local:%H:%M}" if local.date() == today.date() else _moment_words(local, today)


def soon(instant: datetime, zone: str) -> SafeString:
    """`Sat 15:00` within the next days, else with its date."""
    if not timedelta(0) <= instant - now() < THIS_WEEK:
        return moment(instant, zone)
    return _time(instant, date_format(wall_clock(instant, zone), "D H:i"))


def zone_name(zone: str) -> str:
    """`Lisbon time` for Europe/Lisbon."""
    return _("%(city)s time") % {"city": zone.rpartition("/")[2].replace("_", " ")}


def _moment_words(local: datetime, today: datetime) -> str:
    return date_format(local, "j M H:i" if local.year == today.year else "j M Y H:i")


def _time(instant: datetime, words: str) -> SafeString:
    at = instant.isoformat(timespec="seconds")
    return mark_safe(f'<time datetime="{at}">{words}</time>')  # noqa: S308  digits, and the name of a month or day
