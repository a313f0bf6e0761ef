"""What happened on a lock, as sentences a manager reads."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.html import strip_tags
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from devices.models import Event, Hub, Pin
from portal.moments import moment

MOST = 12  # told on a lock's page

T = Event.Type
TROUBLES = frozenset(Pin.Trouble.values)
SENTENCES: Mapping[str, object] = {
    T.CODE_CREATED: gettext_lazy("Code added for %(name)s"),
    T.CODE_CHANGED: gettext_lazy("%(name)s’s code changed"),
    T.CODE_CANCELLED: gettext_lazy("%(name)s’s code cancelled"),
    T.CODE_SET: gettext_lazy("%(name)s’s code is set on the lock"),
    T.CODE_DELAYED: gettext_lazy("%(name)s’s code takes longer than usual"),
    T.CODE_FAILED: gettext_lazy("%(name)s’s code could not be set"),
    T.CODE_REMOVED: gettext_lazy("%(name)s’s code is off the lock"),
    T.CODE_REMOVAL_LATE: gettext_lazy("%(name)s’s code should be off the lock and is not yet"),
    T.CODE_CHANGED_OUTSIDE: gettext_lazy("%(label)s was changed on the lock by somebody else"),
    T.CODE_DELETED_OUTSIDE: gettext_lazy("%(label)s was deleted on the lock by somebody else"),
    T.CODE_NOT_WORKING: gettext_lazy("%(name)s says that the PIN does not work"),
    T.CODE_PIN_CHANGED: gettext_lazy("%(name)s gets another PIN"),
    T.CODE_RETRIED: gettext_lazy("%(name)s’s code is tried again"),
    T.CODE_LINK_RENEWED: gettext_lazy("%(name)s’s link was replaced"),
    T.CODE_REVEALED: gettext_lazy("%(name)s’s PIN was shown"),
    T.CODE_OPENED_BY_GUEST: gettext_lazy("%(name)s opened the guest link"),
    T.CODE_REPORT_SETTLED: gettext_lazy("%(name)s can open the door"),
    T.BACKUP_PULLED: gettext_lazy("Backup %(backup)s given to %(name)s"),
    T.UNCOVERED: gettext_lazy("No backup was ready for %(name)s"),
    T.SETTINGS_CHANGED: gettext_lazy("Settings changed: %(fields)s"),
    T.PERSON_INVITED: gettext_lazy("%(name)s invited as %(role)s"),
    T.INVITATION_REVOKED: gettext_lazy("Invitation of %(name)s taken back"),
    T.PERSON_JOINED: gettext_lazy("%(name)s joined as %(role)s"),
    T.PERSON_ROLE_CHANGED: gettext_lazy("%(name)s is %(role)s now, was %(was)s"),
    T.PERSON_REMOVED: gettext_lazy("%(name)s is out of the workspace"),
    T.WARNING_TAKEN_ON: gettext_lazy("Somebody is on it: %(name)s"),
    T.POOL_REFILLED: gettext_lazy("Backup pool full again"),
    T.STRAY_REMOVED: gettext_lazy("%(label)s was found on the lock and taken off"),
    T.STRAY_FOUND: gettext_lazy("%(label)s still opens the door"),
    T.UNMANAGED_FOUND: gettext_lazy("A code that is not ours was found on the lock"),
    T.UNMANAGED_GONE: gettext_lazy("A code that is not ours left the lock"),
    T.BACKUP_REPLACED: gettext_lazy("Backup %(backup)s is replaced by another"),
    T.DEVICE_CHANGED: gettext_lazy("%(lock)s was renamed or moved"),
    T.HUB_ADDED: gettext_lazy("Hub %(name)s added"),
    T.HUB_CHANGED: gettext_lazy("Hub %(name)s changed"),
    T.HUB_SEARCHED: gettext_lazy("%(name)s was asked for its locks"),
    T.HUB_REMOVED: gettext_lazy("Hub %(name)s removed"),
    T.PROPERTY_ADDED: gettext_lazy("Property %(name)s added"),
    T.PROPERTY_CHANGED: gettext_lazy("Property %(name)s changed"),
    T.PROPERTY_ZONE_CHANGED: gettext_lazy("%(name)s is on another time zone"),
}
SENT = gettext_lazy("%(name)s’s code was sent, and this lock cannot confirm it")  # instead of "is set on the lock"
FIELDS = {
    "name": gettext_lazy("name"),
    "address": gettext_lazy("address"),
    "guest_phone": gettext_lazy("phone for guests"),
    "if_nothing_works": gettext_lazy("“if nothing works”"),
}
TONES = {
    "ok": {T.CODE_SET, T.BACKUP_READY, T.POOL_ACTIVATED, T.POOL_REFILLED, T.DEVICE_CONNECTED, T.STRAY_REMOVED},
    "info": {T.BACKUP_PULLED, T.CODE_CREATED},
    "warn": {T.CODE_DELAYED, T.CODE_NOT_WORKING, T.CODE_REMOVAL_LATE, T.DEVICE_LOW_BATTERY, T.CODE_DELETED_OUTSIDE},
    "bad": {T.CODE_FAILED, T.UNCOVERED, T.POOL_EXHAUSTED, T.DEVICE_DISCONNECTED, T.STRAY_FOUND},
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened: a sentence, a detail (may be empty), how it looks."""

    at: datetime
    sentence: str
    detail: str
    tone: str


def entry_of(event: Event) -> Entry:
    """Never fails: an event that lacks a name still has its type's own words."""
    tone = next((tone for tone, types in TONES.items() if event.type in types), "quiet")
    return Entry(event.at, _sentence(event), " ".join(_details(event)), tone)


def _sentence(event: Event) -> str:
    """`Backup 7F3A given to Ben Okafor: the lock did not answer, 5 tries`"""
    told, why = _what(event), ", ".join(_why(event))
    return _("%(told)s: %(why)s") % {"told": told, "why": why} if why else told


def _what(event: Event) -> str:
    pattern = SENTENCES.get(event.type)
    if event.type == T.CODE_SET and event.data.get("sent"):
        pattern = SENT
    try:
        return str(pattern) % event.data if pattern else str(event.get_type_display())
    except KeyError:
        return str(event.get_type_display())


def _why(event: Event) -> Iterable[str]:
    reason, tries = event.data.get("reason"), event.data.get("tries")
    if reason and reason in TROUBLES:
        yield str(Pin.Trouble(reason).label)
    if tries and (reason or (event.type == T.CODE_SET and tries > 1)):
        yield ngettext("%(count)d try", "%(count)d tries", tries) % {"count": tries}


def _details(event: Event) -> Iterable[str]:
    if event.actor:
        yield _("By %(person)s.") % {"person": event.actor}
    if tell := DETAILS.get(event.type):
        yield from tell(event)


def _battery(event: Event) -> Iterable[str]:
    if event.data.get("battery") is not None:
        yield _("%(percent)d%% left.") % {"percent": event.data["battery"]}


def _left_on_it(event: Event) -> Iterable[str]:
    if event.data.get("left"):
        yield _("May still open it: %(labels)s.") % {"labels": ", ".join(event.data["left"])}


def _covered(event: Event) -> Iterable[str]:
    yield _("Same dates; the guest notices nothing.")


def _stay(event: Event) -> Iterable[str]:
    """What a stay was, and what it is now."""
    old, new = event.data.get("was"), event.data.get("now")
    if not (old and new):
        return
    zone = event.device.property.time_zone if event.device else "UTC"
    if old[1:3] != new[1:3]:
        yield _("%(new)s instead of %(old)s.") % {"new": _span(new[1:3], zone), "old": _span(old[1:3], zone)}
    if old[0] != new[0]:
        yield _("Called %(old)s before.") % {"old": old[0]}
    if old[3:] != new[3:] and len(old) == len(new):  # events from before have no reference
        told = {"old": old[3] or _("none"), "new": new[3] or _("none")}
        yield _("Booking reference: %(new)s instead of %(old)s.") % told


def _span(ends: Sequence[str | None], zone: str) -> str:
    return " → ".join(strip_tags(moment(datetime.fromisoformat(end), zone)) for end in ends if end)


def _may_open(event: Event) -> Iterable[str]:
    yield _("It may still open the door.")


def _place(place: Event) -> Iterable[str]:
    number = str(place.data.get("place", ""))
    if number.isdecimal():
        yield _("In space %(place)s. The portal leaves it alone.") % {"place": number}


def _lock_was(event: Event) -> Iterable[str]:
    data = event.data
    if data.get("was") and data["was"] != data.get("lock"):
        yield _("Called %(old)s before.") % {"old": data["was"]}
    if data.get("place_was") and data["place_was"] != data.get("place"):
        yield _("From %(old)s to %(new)s.") % {"old": data["place_was"], "new": data["place"]}


def _search(event: Event) -> Iterable[str]:
    silence, found, added = event.data.get("silence"), event.data.get("found"), event.data.get("added")
    if silence in Hub.Silence.values and silence:
        yield _("No locks were found: %(silence)s.") % {"silence": Hub.Silence(silence).label}
    elif found is not None:
        locks = ngettext("%(count)d lock found", "%(count)d locks found", found) % {"count": found}
        new = ngettext("%(count)d new", "%(count)d new", added or 0) % {"count": added or 0}
        yield _("%(locks)s, %(new)s.") % {"locks": locks, "new": new}


def _property(event: Event) -> Iterable[str]:
    fields = [str(FIELDS[field]) for field in event.data.get("changed", ()) if field in FIELDS]
    if fields:
        yield _("Changed: %(fields)s.") % {"fields": ", ".join(fields)}
    if event.data.get("was") and event.data["was"] != event.data.get("name"):
        yield _("Called %(old)s before.") % {"old": event.data["was"]}


def _zone_was(event: Event) -> Iterable[str]:
    if event.data.get("was") and event.data.get("zone"):
        yield _("%(new)s instead of %(old)s.") % {"new": event.data["zone"], "old": event.data["was"]}
    if stays := event.data.get("stays"):
        yield ngettext("%(count)d stay to come was moved.", "%(count)d stays to come were moved.", stays) % {
            "count": stays
        }


DETAILS: dict[str, Callable[[Event], Iterable[str]]] = {
    T.DEVICE_LOW_BATTERY: _battery,
    T.DEVICE_REMOVED: _left_on_it,
    T.BACKUP_PULLED: _covered,
    T.CODE_CHANGED: _stay,
    T.CODE_REMOVAL_LATE: _may_open,
    T.UNMANAGED_FOUND: _place,
    T.DEVICE_CHANGED: _lock_was,
    T.HUB_SEARCHED: _search,
    T.PROPERTY_CHANGED: _property,
    T.PROPERTY_ZONE_CHANGED: _zone_was,
}
