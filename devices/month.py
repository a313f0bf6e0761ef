"""A lock's last thirty days: when it could not be reached, and why backups were pulled. So that it gets fixed.

One query also gives the latest activity: the lock's page needs both.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import DateTimeField, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from devices import history
from devices.history import Entry
from devices.models import Device, Event, Pin
from portal.clock import now
from portal.prepared import Given, Prepared

DAYS = 30
HOURS = DAYS * 24  # the picture's width: one unit an hour
MOST = 1000  # events told of a month
T = Event.Type
REASONS = {
    Pin.Trouble.OFFLINE: gettext_lazy("offline"),
    Pin.Trouble.NO_ANSWER: gettext_lazy("no answer"),
    Pin.Trouble.FULL: gettext_lazy("full"),
    Pin.Trouble.DUPLICATE: gettext_lazy("PIN taken"),
    Pin.Trouble.REJECTED: gettext_lazy("refused"),
    Pin.Trouble.INVALID: gettext_lazy("PIN against its rules"),
    Pin.Trouble.UNSUPPORTED: gettext_lazy("not supported"),
    Pin.Trouble.NOT_STORED: gettext_lazy("not stored"),
    Pin.Trouble.PROVIDER: gettext_lazy("errors of the lock maker’s system"),
}


@dataclass(frozen=True, slots=True)
class Gap:
    """Hours from the picture's left edge during which the lock was offline."""

    begins: int
    width: int


@dataclass(frozen=True, slots=True)
class Month:
    """Thirty days up to now. `pulls`: hours from the left edge. `offline`: share of the time, in percent."""

    pulls: Sequence[int]
    reasons: Sequence[tuple[str, int]]
    gaps: Sequence[Gap]
    offline: float

    @property
    def sentence(self) -> str:
        """`3 pulls in 30 days: offline 2, full 1`"""
        if not self.pulls:
            return _("No backup pulled in 30 days")
        told = ngettext("%(count)d pull in 30 days", "%(count)d pulls in 30 days", len(self.pulls)) % {
            "count": len(self.pulls)
        }
        reasons = ", ".join(f"{reason} {count}" for reason, count in self.reasons)
        return _("%(pulls)s: %(reasons)s") % {"pulls": told, "reasons": reasons}

    @property
    def reached(self) -> str:
        if not self.offline:
            return _("Online all the time")
        share = (
            _("less than 1 %%") % {"percent": 1}
            if self.offline < 1
            else _("%(percent)d %%") % {"percent": round(self.offline)}
        )
        times = ngettext("%(count)d time", "%(count)d times", len(self.gaps)) % {"count": len(self.gaps)}
        return _("Offline %(share)s of the time (%(times)s)") % {"share": share, "times": times}


def activity_and_month(device: Device) -> tuple[list[Entry], Month]:
    """The lock's latest activity, the newest first, and its month. One query."""
    at = now()
    events = EVENTS(device=device.pk, since=at - timedelta(days=DAYS))
    return [history.entry_of(event) for event in events[: history.MOST]], month_of(device, events, at)


def _events() -> QuerySet[Event]:
    mine = Event.objects.filter(device=Given("device", Device._meta.pk))
    newest = mine.order_by("-at", "-pk").values("pk")[: history.MOST]
    kinds = [T.BACKUP_PULLED, T.DEVICE_CONNECTED, T.DEVICE_DISCONNECTED]
    told = Q(at__gt=Given("since", DateTimeField()), type__in=kinds)
    return mine.filter(told | Q(pk__in=newest)).select_related("actor").order_by("-at", "-pk")[:MOST]


EVENTS = Prepared(_events)


def month_of(device: Device, events: Iterable[Event], at: datetime) -> Month:
    """The thirty days before `at` from the lock's events, in any order."""
    since = at - timedelta(days=DAYS)
    recent = sorted((event for event in events if since < event.at <= at), key=lambda event: event.at)
    pulls = [event for event in recent if event.type == T.BACKUP_PULLED]
    silent = list(_silences(device, recent, since, at))
    reasons = Counter(_reason(event) for event in pulls)
    return Month(
        pulls=[_hour(event.at, since) for event in pulls],
        reasons=reasons.most_common(),
        gaps=[Gap(_hour(begins, since), max(_hour(ends, since) - _hour(begins, since), 1)) for begins, ends in silent],
        offline=sum((ends - begins for begins, ends in silent), timedelta()) / timedelta(days=DAYS) * 100,
    )


def _silences(
    device: Device, events: Sequence[Event], since: datetime, until: datetime
) -> Iterable[tuple[datetime, datetime]]:
    """From each loss of the lock to its return; one that lasts ends now."""
    seen = [event for event in events if event.type in (T.DEVICE_CONNECTED, T.DEVICE_DISCONNECTED)]
    lost: datetime | None = None
    if seen and seen[0].type == T.DEVICE_CONNECTED and device.added_at < since:
        lost = since  # it came back, so it was away before; a new lock was not
    for event in seen:
        if event.type == T.DEVICE_DISCONNECTED:
            lost = lost or event.at
        elif lost is not None:
            yield lost, event.at
            lost = None
    if device.online == Device.Online.NO:
        yield lost or max(device.online_since or since, since), until


def _reason(event: Event) -> str:
    reason = event.data.get("reason", "")
    if reason in Pin.Trouble.values and reason:
        return str(REASONS[Pin.Trouble(reason)])
    return _("by hand") if event.actor_id else _("other")


def _hour(instant: datetime, since: datetime) -> int:
    return min(int((instant - since) / timedelta(hours=1)), HOURS - 1)
