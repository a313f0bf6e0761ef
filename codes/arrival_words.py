"""An arrival in words: how it stands, why, and what happens next. Times are the property's."""

from collections.abc import Iterator

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from codes.arrivals import Arrival, Removal, Risk
from devices import listing
from devices.listing import Fact, Words
from devices.models import Device, Pin
from portal.clock import now
from portal.moments import clock


def state(arrival: Arrival) -> Fact:
    """The pill."""
    if arrival.risk == Risk.REPORTED:
        return Fact(_("Guest says the PIN does not work"), "bad")
    if arrival.risk == Risk.UNCOVERED:
        return Fact(_("No backup available"), "bad")
    if arrival.risk == Risk.MISSING:
        return Fact(_("Not on lock yet"), "warn")
    if arrival.risk == Risk.COVERED and arrival.backup is not None:
        return Fact(_("Covered by backup %(id)s") % {"id": arrival.backup.backup_code.code_id}, "info")
    return Fact(_("PIN changed"), "info") if arrival.outdated else Fact(_("Setting"), "wait")


def story(arrival: Arrival) -> SafeString:
    """Why, how often it was tried, the next try, and when a backup is pulled."""
    return format_html_join(" ", "{}", ((sentence,) for sentence in _sentences(arrival)))


def age(removal: Removal) -> str:
    """`40 minutes`, `3 hours`, `2 days`: for how long it is overdue."""
    minutes = int((now() - removal.since).total_seconds() // 60)
    if minutes < 120:
        return ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}
    hours = minutes // 60
    if hours < 48:
        return ngettext("%(count)d hour", "%(count)d hours", hours) % {"count": hours}
    return ngettext("%(count)d day", "%(count)d days", hours // 24) % {"count": hours // 24}


def _sentences(arrival: Arrival) -> Iterator[Words]:
    if arrival.risk == Risk.REPORTED:
        yield from _reported(arrival)
        return
    reason, tries = _reason(arrival), _tries(arrival)
    if reason and tries:
        count = ngettext("%(count)d try", "%(count)d tries", tries) % {"count": tries}
        yield format_html("{}, {}.", capital(reason), count)
    elif reason:
        yield format_html("{}.", capital(reason))
    if arrival.risk <= Risk.SETTING:
        yield from _what_next(arrival)
    elif arrival.outdated:
        yield _("The backup opens the door.") if arrival.risk == Risk.COVERED else _("The new PIN opens the door.")
        yield _("Somebody saw the PIN from before: make sure that the guest sees the new one.")
    else:
        yield _("The backup opens the door. Nothing to do.")


def _reported(arrival: Arrival) -> Iterator[Words]:
    """What the guest said, what was done at once, and what is left to a person."""
    told_at = arrival.code.reported_at or now()
    yield format_html(_("Said at {}."), clock(told_at, arrival.zone))
    if arrival.backup is not None and arrival.backup.maybe_on_lock:
        told = {"id": arrival.backup.backup_code.code_id}
        yield _("The guest’s page shows backup %(id)s.") % told
        yield _("Call to make sure that the door opened.")
    else:
        yield _("No other PIN could be given: let the guest in another way.")


def _reason(arrival: Arrival) -> Words:
    """A lock that is out of reach explains what is missing on it; what a lock answered explains the rest."""
    pin = arrival.own
    if arrival.risk == Risk.COVERED:
        return why_covered(pin, arrival.device)
    if arrival.risk <= Risk.SETTING and listing.unreachable(arrival.device):
        return listing.likely_cause(arrival.device, 0)
    if pin is not None and pin.trouble:
        return Pin.Trouble(pin.trouble).label
    return listing.likely_cause(arrival.device, 0) if arrival.risk <= Risk.MISSING else ""


def why_covered(own: Pin | None, device: Device) -> Words:
    """Why a guest has a backup. What a lock answered goes before that it cannot be reached now."""
    if own is None:
        return ""
    if own.confirmed:
        return _("the guest’s own PIN is on the lock as well")
    if own.trouble and own.trouble != Pin.Trouble.NO_ANSWER:
        return Pin.Trouble(own.trouble).label
    if listing.unreachable(device):
        return listing.likely_cause(device, 0)
    return Pin.Trouble(own.trouble).label if own.trouble else _("the guest’s own PIN was not on the lock in time")


def _tries(arrival: Arrival) -> int:
    """A lock that cannot be reached is tried as a whole."""
    if arrival.own is not None and arrival.own.confirmed:
        return 0
    answered = arrival.own is not None and arrival.own.trouble not in ("", Pin.Trouble.NO_ANSWER)
    as_a_whole = arrival.risk <= Risk.SETTING or (listing.unreachable(arrival.device) and not answered)
    return max(arrival.tries, arrival.device.failures) if as_a_whole else arrival.tries


def _what_next(arrival: Arrival) -> Iterator[Words]:
    if upcoming := next_try(arrival):
        yield upcoming
    pin = arrival.own
    if not _has_pool(arrival.device):
        yield _("This lock has no backup codes: give the guest another way in.")
    elif arrival.risk == Risk.UNCOVERED:
        yield _("The next backup that becomes ready is this guest’s.")
    elif pin is not None and pin.give_up_at is not None and pin.give_up_at > now():
        pulled = _("A backup is pulled at {} if this continues.")
        if arrival.risk == Risk.SETTING:
            pulled = _("A backup is pulled at {} if it is not on the lock by then.")
        yield format_html(pulled, clock(pin.give_up_at, arrival.zone))


def next_try(arrival: Arrival) -> Words:
    """A lock that is silent is tried again as a whole; else it is the PIN's own turn."""
    pin, device = arrival.own, arrival.device
    if pin is None or pin.status == Pin.Status.REFUSED:
        return ""
    upcoming = device.next_sync_at if device.failures else pin.next_attempt_at
    if upcoming is None:
        return ""
    if upcoming <= now():
        return _("Next try now.")
    return format_html(_("Next try {}."), clock(upcoming, arrival.zone))


def capital(words: Words) -> Words:
    """With a capital first, and still safe where it was."""
    capital = str(capfirst(str(words)))
    return SafeString(capital) if isinstance(words, SafeString) else capital


def _has_pool(device: Device) -> bool:
    return device.caps is None or device.caps.backup_pool is not False
