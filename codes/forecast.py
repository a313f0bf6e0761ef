"""Whether a lock's spaces will do for the codes that are planned, told days ahead. Pure: rows in, words out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backups.status import PoolStatus
from devices import listing
from devices.listing import Words
from devices.models import Device, Pin
from portal.clock import now
from portal.moments import soon

AHEAD = timedelta(days=14)


class Span(NamedTuple):
    """How long a person's PIN takes a space; `ends_at` None: nobody knows."""

    begins_at: datetime
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class Forecast:
    """`used` spaces now, and at most `peak` within 14 days, without spares. `overdue` of them should be free."""

    slots: int
    used: int
    peak: int
    overdue: int
    tone: str
    sentence: Words

    @property
    def overdue_words(self) -> str:
        told = ngettext(
            "%(count)d removal is overdue and keeps its space.",
            "%(count)d removals are overdue and keep their spaces.",
            self.overdue,
        )
        return told % {"count": self.overdue}


def forecast(device: Device, pool: PoolStatus, people: Iterable[Pin]) -> Forecast | None:
    """The lock's spaces for the next 14 days; None when the lock has no limit that we know.

    `people`: PINs of guests and staff. A spare makes way for them but for the last one, which stays.
    """
    slots = device.caps.slots if device.caps else None
    if slots is None:
        return None
    at = now()
    pins = list(people)
    spans = [span for pin in pins if (span := _span(pin, at))]
    others = len(device.unmanaged)
    held = {moment: _held(spans, moment) for moment in _moments(spans, at)}
    peak = others + max(held.values(), default=0)
    full_at = _first_above(held, slots - others - min(pool.size, 1))
    short_at = _first_above(held, slots - others - pool.size)
    tone, sentence = _words(device, slots, peak, pool.size, full_at, short_at)
    overdue = sum(pin.maybe_on_lock and _unwanted(pin, at) for pin in pins)
    return Forecast(slots, pool.used + others, peak, overdue, tone, sentence)


def _words(
    device: Device, slots: int, peak: int, size: int, full_at: datetime | None, short_at: datetime | None
) -> tuple[str, Words]:
    zone = listing.zone_of(device)
    if full_at is not None:
        told = _("From {} codes need {} of {} spaces{}. Cancel codes that nobody needs, before one finds no place.")
        spare = _(", and one is a backup’s") if size else ""
        return "bad", format_html(told, _when(full_at, zone), peak, slots, spare)
    if short_at is not None:
        making_way = peak + size - slots
        told = ngettext(
            "From {} codes need {} of {} spaces: {} backup code makes way.",
            "From {} codes need {} of {} spaces: {} backup codes make way.",
            making_way,
        )
        return "warn", format_html(told, _when(short_at, zone), peak, slots, making_way)
    if size:
        told = _("At most {} of {} spaces in the next 14 days, besides {} for backup codes.")
        return "quiet", format_html(told, peak, slots, size)
    return "quiet", format_html(_("At most {} of {} spaces in the next 14 days."), peak, slots)


def _when(moment: datetime, zone: str) -> Words:
    """`Sat 15:00`; `now on` for what has begun."""
    return soon(moment, zone) if moment > now() else _("now on")


def _span(pin: Pin, at: datetime) -> Span | None:
    if pin.maybe_on_lock:
        return Span(at, None if _unwanted(pin, at) else pin.wanted_until)
    if pin.wanted != Pin.Wanted.PRESENT or pin.status == Pin.Status.REFUSED:
        return None
    if pin.wanted_until is not None and pin.wanted_until <= at:
        return None
    return Span(max(pin.program_at or pin.wanted_from or at, at), pin.wanted_until)


def _unwanted(pin: Pin, at: datetime) -> bool:
    return pin.wanted == Pin.Wanted.ABSENT or (pin.wanted_until is not None and pin.wanted_until <= at)


def _moments(spans: Sequence[Span], at: datetime) -> list[datetime]:
    """When somebody's PIN comes onto the lock, the soonest first: only then can more spaces be needed."""
    return sorted({span.begins_at for span in spans if span.begins_at <= at + AHEAD})


def _held(spans: Sequence[Span], moment: datetime) -> int:
    return sum(span.begins_at <= moment and (span.ends_at is None or span.ends_at > moment) for span in spans)


def _first_above(held: Mapping[datetime, int], room: int) -> datetime | None:
    """`held`: how many spaces are taken, by moment, the soonest first."""
    return next((moment for moment, count in held.items() if count > room), None)
