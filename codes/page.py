"""What a code's own page tells besides its row: the whole history, the guest's link, a PIN that is on its way."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backups.warnings import ask_support
from codes.arrival_words import capital, why_covered
from codes.arrivals import Risk, risk_of_pins
from codes.booking import shared_with
from codes.cover import current, door_pin
from codes.models import AccessCode, CodePin
from devices import history, listing
from devices.history import Entry
from devices.listing import Words
from devices.models import Event, Pin
from portal.clock import now

STATES = {
    Pin.Status.PLANNED: gettext_lazy("Not on lock yet"),
    Pin.Status.WRITING: gettext_lazy("Setting"),
    Pin.Status.UNKNOWN: gettext_lazy("Checking"),
    Pin.Status.SENT: gettext_lazy("Sent (this lock cannot confirm)"),
    Pin.Status.SET: gettext_lazy("Set on lock"),
    Pin.Status.REMOVING: gettext_lazy("Removing"),
    Pin.Status.REFUSED: gettext_lazy("Refused"),
    Pin.Status.GONE: gettext_lazy("Gone from the lock"),
    Pin.Status.REMOVED: gettext_lazy("Removed"),
    Pin.Status.WITHDRAWN: gettext_lazy("Never sent to the lock"),
}
MOST = 200  # things that happened to one code, told on its page
T = Event.Type


@dataclass(frozen=True, slots=True)
class GuestLink:
    """The guest's link as a manager sees it. `doors`: the other codes that it shows."""

    token: str
    opened_at: datetime | None
    doors: Sequence[AccessCode]


@dataclass(frozen=True, slots=True)
class GivenPin:
    """A PIN the code has or had, without its digits: its name here, how it stands, and the trouble it met."""

    name: str
    given: CodePin
    state: str
    trouble: str

    @property
    def tries(self) -> int:
        return self.given.pin.attempts


@dataclass(frozen=True, slots=True)
class Danger:
    """A guest whose PIN does not work, or soon will not. `support` is where "Contact support" leads."""

    title: str
    cause: Words
    support: str
    uncovered: bool


@dataclass(frozen=True, slots=True)
class CodePage:
    """`outdated_at`: somebody saw a PIN then, and another one works now. `reported_at`: "My code is not working".

    `replacing`: a new PIN is on its way. `kept`: the lock refused a new PIN, the one from before still works.
    """

    activity: Sequence[Entry]
    link: GuestLink | None
    reported_at: datetime | None = None
    outdated_at: datetime | None = None
    replacing: bool = False
    kept: bool = False
    confirmed_at: datetime | None = None  # when the PIN that opens the door was last read on the lock
    pins: Sequence[GivenPin] = ()
    danger: Danger | None = None
    why_covered: Words = ""


def page_of(code: AccessCode) -> CodePage:
    """Two queries, given the code with its lock and its `code_pins` prefetched."""
    events = list(Event.objects.filter(subject=code.pk).select_related("actor").order_by("-at", "-pk")[:MOST])
    return CodePage(
        activity=[history.entry_of(event) for event in events],
        link=_link(code, _last(events, T.CODE_OPENED_BY_GUEST)) if code.time_bound else None,
        reported_at=code.reported_at if code.ended_at is None else None,
        outdated_at=_outdated_at(code),
        replacing=current(code, CodePin.Role.NEXT) is not None,
        kept=_kept(code),
        confirmed_at=_confirmed_at(code),
        pins=_pins(code),
        danger=_danger(code),
        why_covered=_why_covered(code),
    )


def _why_covered(code: AccessCode) -> Words:
    """`The lock did not answer.`, for a code whose backup opens the door."""
    own, backup = current(code, CodePin.Role.OWN), current(code, CodePin.Role.BACKUP)
    why = why_covered(own.pin if own else None, code.device) if backup and code.ended_at is None else ""
    return format_html("{}.", capital(why)) if why else ""


def _danger(code: AccessCode) -> Danger | None:
    """What home lists among the arrivals at risk; what a guest reported is told beside it."""
    if not code.time_bound or code.ended_at is not None:
        return None
    own, backup = current(code, CodePin.Role.OWN), current(code, CodePin.Role.BACKUP)
    risk = risk_of_pins(code, own.pin if own else None, backup.pin if backup else None, now())
    if risk > Risk.MISSING:
        return None
    title = _("No working code for %(name)s") if risk == Risk.UNCOVERED else _("%(name)s’s code is not on the lock yet")
    told = title % {"name": code.name}
    cause = listing.likely_cause(code.device, 0) or (Pin.Trouble(own.pin.trouble).label if own else "")
    since = code.uncovered_since or code.device.trouble_since
    return Danger(told, cause, ask_support(code.device, told, cause=cause, since=since), risk == Risk.UNCOVERED)


def _link(code: AccessCode, opened_at: datetime | None) -> GuestLink:
    doors: list[AccessCode] = []
    if code.booking_reference:
        doors = list(shared_with(code).exclude(pk=code.pk).select_related("device").order_by("device__name"))
    return GuestLink(code.guest_token, opened_at, doors)


def _pins(code: AccessCode) -> list[GivenPin]:
    """In the order in which they were given."""
    found: list[GivenPin] = []
    for one in sorted(code.code_pins.all(), key=lambda one: one.pk):
        own = sum(given.given.role != CodePin.Role.BACKUP for given in found) + 1
        backup = one.role == CodePin.Role.BACKUP
        name = str(one.pin.backup_code) if backup else _("PIN %(number)d") % {"number": own}
        trouble = Pin.Trouble(one.pin.trouble).label if one.pin.trouble else ""
        found.append(GivenPin(name, one, str(STATES[Pin.Status(one.pin.status)]), str(trouble)))
    return found


def _confirmed_at(code: AccessCode) -> datetime | None:
    pin = door_pin(code)
    return pin.confirmed_at if pin is not None and pin.status == Pin.Status.SET else None


def _last(events: Sequence[Event], kind: Event.Type) -> datetime | None:
    return next((event.at for event in events if event.type == kind), None)


def _outdated_at(code: AccessCode) -> datetime | None:
    """When a PIN was last seen that is not the one that works now; None once somebody saw the new one too."""
    pin = door_pin(code)
    given = list(code.code_pins.all())
    if pin is None or any(one.pin_id == pin.pk and one.revealed_at for one in given):
        return None
    return max((one.revealed_at for one in given if one.revealed_at), default=None)


def _kept(code: AccessCode) -> bool:
    """The latest PIN it was given was a replacement, and it was given up."""
    latest = max(code.code_pins.all(), key=lambda one: one.pk, default=None)
    refused = latest is not None and latest.role == CodePin.Role.NEXT and latest.ended_at is not None
    return refused and code.ended_at is None
