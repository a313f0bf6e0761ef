"""The warning about a lock's pool: what happened, whom it affects, the likely cause, and what to do. Reads only."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from django.conf import settings
from django.utils.html import format_html, strip_tags
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backups.status import SEVERAL, PoolStatus, State, commonest_trouble
from devices import listing
from devices.listing import Words
from devices.models import Device, Hub, Pin
from portal.moments import clock


@dataclass(frozen=True, slots=True)
class Warning:
    """What a manager must know about one lock's pool. `support` is where "Contact support" leads."""

    title: str
    what: str
    affects: str
    cause: Words
    remedy: str
    support: str
    taken_on: Words
    exhausted: bool

    @property
    def tone(self) -> str:
        if self.taken_on:
            return "info"
        return "bad" if self.exhausted else "warn"

    @property
    def timed(self) -> bool:
        """The cause names a time, which is the property's."""
        return "<time" in str(self.cause)


def warning_of(device: Device, status: PoolStatus) -> Warning | None:
    """The one warning of this lock's pool, if it warns: an exhausted pool says more than several pulls."""
    if not status.warns:
        return None
    exhausted = status.state == State.EXHAUSTED
    title = _("Backup pool exhausted") if exhausted else _pulled(status.pulled)
    cause = listing.likely_cause(device, status.used)
    if not cause and status.alone:
        cause = Pin.Trouble(commonest_trouble(device)).label
    return Warning(
        title=title,
        what=_what(exhausted, status),
        affects=_covered(status),
        cause=cause,
        remedy=_remedy(device, status, exhausted),
        support=support_link(device, title, status, cause),
        taken_on=_taken_on(device, status),
        exhausted=exhausted,
    )


def support_link(device: Device, title: str, status: PoolStatus, cause: Words) -> str:
    """A mail to support about this lock's pool, filled in."""
    since = status.pool.exhausted_since if status.pool else None
    return ask_support(device, title, cause=cause, since=since, more=strip_tags(str(status.sentence)))


def ask_support(device: Device, title: str, *, cause: Words, since: datetime | None, more: str = "") -> str:
    """A mail to support with lock, cause and since when filled in, or the support page. Never with a PIN."""
    contact: str = settings.SUPPORT_CONTACT
    if "://" in contact:
        return contact
    lines = [
        _("Lock: %(lock)s, %(place)s") % {"lock": device, "place": device.property},
        _("Make: %(make)s %(model)s") % {"make": device.make, "model": device.model},
        _("Reference: %(id)s") % {"id": device.pk},
        _("What we see: %(title)s") % {"title": title},
        *([more] if more else []),
    ]
    if cause:
        lines.append(_("Likely cause: %(cause)s") % {"cause": strip_tags(str(cause))})
    if since:
        lines.append(_("Since: %(since)s UTC") % {"since": f"{since:%Y-%m-%d %H:%M}"})
    return (
        f"mailto:{contact}?subject={quote(f'{title}: {device}, {device.property}')}&body={quote(chr(10).join(lines))}"
    )


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause of warnings: a lock, or a hub that is down with all the locks it takes along."""

    hub: Hub | None
    entries: list[tuple[Device, Warning]]


def by_cause(found: list[tuple[Device, PoolStatus]]) -> list[Cause]:
    """Warnings of many locks, a hub's outage as one."""
    causes: dict[object, Cause] = {}
    for device, status in found:
        warning = warning_of(device, status)
        if warning is None:
            continue
        hub = device.hub if device.hub.down_since else None
        cause = causes.setdefault(hub.pk if hub else device.pk, Cause(hub, []))
        cause.entries.append((device, warning))
    return list(causes.values())


def _pulled(count: int) -> str:
    return ngettext(
        "%(count)d backup code pulled in the last 7 days",
        "%(count)d backup codes pulled in the last 7 days",
        count,
    ) % {"count": count}


def _what(exhausted: bool, status: PoolStatus) -> str:
    if not exhausted:
        return _("We have had trouble programming codes onto this lock.")
    what = _(
        "No backup codes are ready on this lock. Codes already set still work. "
        "If another guest code fails, no backup is available until the pool refills."
    )
    return f"{what} {_pulled(status.pulled)}." if status.pulled >= SEVERAL else what


def _covered(status: PoolStatus) -> str:
    """Who holds a backup now. Empty where the pool's codes were not read, or none is in use."""
    given = [code.pin.code_pin for code in status.codes if code.drawn_at and hasattr(code.pin, "code_pin")]
    names = sorted({one.code.name for one in given if one.ended_at is None and one.code.ended_at is None})
    if not names:
        return ""
    people = get_text_list(names, _("and"))
    return ngettext("%(people)s is covered.", "%(people)s are covered.", len(names)) % {"people": people}


def _remedy(device: Device, status: PoolStatus, exhausted: bool) -> str:
    if listing.full(device, status.used):
        do = _("Remove codes you no longer need, in the lock’s own app too.")
    else:
        do = _("Check that the lock is online and connected.")
    return do if exhausted else f"{do} {_('If this continues, contact support.')}"


def _taken_on(device: Device, status: PoolStatus) -> Words:
    pool = status.pool
    if pool is None or pool.acknowledged_at is None:
        return ""
    who = pool.acknowledged_by or _("Somebody")
    return format_html(_("{} is on it since {}."), who, clock(pool.acknowledged_at, listing.zone_of(device)))
