"""What happened on a lock, as sentences a manager reads."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from devices.models import Event, Pin

MOST = 12  # told on a lock's page

T = Event.Type
SENTENCES = {
    T.CODE_CREATED: gettext_lazy("Code added for %(name)s"),
    T.CODE_CHANGED: gettext_lazy("%(name)s’s code changed"),
    T.CODE_CANCELLED: gettext_lazy("%(name)s’s code cancelled"),
    T.CODE_SET: gettext_lazy("%(name)s’s code is set on the lock"),
    T.CODE_DELAYED: gettext_lazy("%(name)s’s code takes longer than usual"),
    T.CODE_FAILED: gettext_lazy("%(name)s’s code could not be set"),
    T.CODE_REMOVED: gettext_lazy("%(name)s’s code is off the lock"),
    T.CODE_REMOVAL_LATE: gettext_lazy("%(name)s’s code is still to be removed"),
    T.CODE_CHANGED_OUTSIDE: gettext_lazy("%(label)s was changed on the lock by somebody else"),
    T.CODE_DELETED_OUTSIDE: gettext_lazy("%(label)s was deleted on the lock by somebody else"),
    T.CODE_OPENED_BY_GUEST: gettext_lazy("%(name)s opened the link"),
    T.CODE_NOT_WORKING: gettext_lazy("%(name)s says that the PIN does not work"),
    T.CODE_PIN_CHANGED: gettext_lazy("%(name)s gets another PIN"),
    T.CODE_RETRIED: gettext_lazy("%(name)s’s code is tried again"),
    T.CODE_LINK_RENEWED: gettext_lazy("%(name)s’s link was replaced"),
    T.CODE_REVEALED: gettext_lazy("%(name)s’s PIN was shown"),
    T.CODE_OPENED_BY_GUEST: gettext_lazy("%(name)s opened the guest link"),
    T.BACKUP_PULLED: gettext_lazy("Backup %(backup)s pulled for %(name)s"),
    T.UNCOVERED: gettext_lazy("No backup was ready for %(name)s"),
    T.POOL_REFILLED: gettext_lazy("Backup pool full again"),
    T.STRAY_REMOVED: gettext_lazy("%(label)s was found on the lock and taken off"),
    T.STRAY_FOUND: gettext_lazy("%(label)s still opens the door"),
    T.UNMANAGED_FOUND: gettext_lazy("A code that is not ours was found on the lock"),
    T.UNMANAGED_GONE: gettext_lazy("A code that is not ours left the lock"),
    T.BACKUP_REPLACED: gettext_lazy("Backup %(backup)s is replaced by another"),
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
    pattern = SENTENCES.get(T(event.type)) if event.type in T.values else None
    try:
        return str(pattern) % event.data if pattern else str(event.get_type_display())
    except KeyError:
        return str(event.get_type_display())


def _details(event: Event) -> Iterable[str]:
    if event.actor:
        yield _("By %(person)s.") % {"person": event.actor}
    reason, tries = event.data.get("reason"), event.data.get("tries")
    if reason in Pin.Trouble.values and reason:
        yield _("Reason: %(reason)s.") % {"reason": Pin.Trouble(reason).label}
    if tries and event.type != T.CODE_SET:
        yield ngettext("%(count)d try.", "%(count)d tries.", tries) % {"count": tries}
    if event.type == T.DEVICE_LOW_BATTERY and event.data.get("battery") is not None:
        yield _("%(percent)d%% left.") % {"percent": event.data["battery"]}
    if event.type == T.DEVICE_REMOVED and event.data.get("left"):
        yield _("May still be on it: %(labels)s.") % {"labels": ", ".join(event.data["left"])}
    if event.type == T.BACKUP_PULLED:
        yield _("Same dates; the guest notices nothing.")
