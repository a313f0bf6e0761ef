"""What a code is doing, in words. Pure: rows in, words out."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils.html import format_html
from django.utils.translation import gettext as _

from backups.models import BackupCode
from codes.cover import Held, holding
from codes.models import AccessCode, CodePin
from devices import listing
from devices.listing import Words
from devices.models import Device, Pin
from portal.clock import now
from portal.moments import clock

CLOSE = timedelta(hours=1)  # so near the give-up moment a code that fails is said to be not on the lock yet
OVERDUE = timedelta(minutes=2)
HARD = 3  # failed tries of an ongoing code after which somebody should look


class Status(NamedTuple):
    """A round pill: words and tone (ok, info, wait, warn, bad, quiet).

    `attention`: somebody should act. `pending`: it is about to change by itself. `note`: what to do, if not plain.
    """

    words: Words
    tone: str
    attention: bool = False
    pending: bool = False
    note: str = ""


def code_status(code: AccessCode, given: Sequence[CodePin], device: Device, has: Held | None = None) -> Status:
    """The status of an access code from the PINs it was given, which carry their pins and backup codes.

    `has`: what it has of them now, if that is known.
    """
    if code.ended_at is not None:
        return _leaving([one.pin for one in given], since=code.ended_at)
    status = _live_status(code, has or holding(given), device)
    if code.reported_at is None:
        return status
    return status._replace(attention=True, note=_("The guest says that the PIN does not work."))


def _live_status(code: AccessCode, has: Held, device: Device) -> Status:
    backup, own = has
    if backup and backup.pin.maybe_on_lock:
        words = _("Covered by backup %(id)s") % {"id": backup.pin.backup_code.code_id}
        return Status(words, "info", pending=backup.pin.status != Pin.Status.SET)
    if code.uncovered_since:
        return Status(_("No backup available"), "bad", attention=True, pending=True)
    if backup:
        return Status(_("Setting"), "wait", pending=True)
    if own is None:
        return Status(_("Scheduled"), "quiet")
    return _own_status(code, own.pin, device)


def spare_status(code: BackupCode, device: Device) -> Status:
    """The status of a backup that is nobody's yet, or no longer."""
    pin = code.pin
    if code.retired_at is not None or pin.wanted == Pin.Wanted.ABSENT:
        return _leaving([pin], since=code.retired_at or now())
    if pin.status == Pin.Status.SET:
        told = clock(pin.confirmed_at, listing.zone_of(device)) if pin.confirmed_at else ""
        return Status(format_html(_("Ready (confirmed {})"), told) if told else _("Ready"), "ok")
    if pin.status == Pin.Status.UNKNOWN:
        return Status(_("Checking"), "wait", pending=True)
    return _setting(pin, device)


def backup_in_use(given: CodePin) -> Status:
    """The status of the backup that covers, or covered, a guest."""
    pin, code = given.pin, given.code
    if code.ended_at is not None or given.ended_at is not None:
        return _leaving([pin], since=given.ended_at or code.ended_at or now())
    if pin.maybe_on_lock:
        return Status(_("In use"), "info", pending=pin.status != Pin.Status.SET)
    return Status(_("Not on lock"), "bad", attention=True, pending=True)


def _own_status(code: AccessCode, pin: Pin, device: Device) -> Status:
    if pin.confirmed:
        sent = pin.status == Pin.Status.SENT
        return Status(_("Sent (this lock cannot confirm)"), "info") if sent else Status(_("Set on lock"), "ok")
    if code.failed_at or pin.status == Pin.Status.REFUSED:
        return _failed(code, pin, device)
    if pin.status == Pin.Status.UNKNOWN:
        return Status(_("Checking"), "wait", pending=True)
    at = now()
    if pin.status == Pin.Status.PLANNED and pin.program_at and pin.program_at > at:
        return Status(_("Scheduled"), "quiet")
    if _in_trouble(pin, device) and pin.give_up_at and pin.give_up_at - at <= CLOSE:
        return _not_yet(pin.give_up_at, device)
    return _setting(pin, device, hard=pin.attempts >= HARD and not code.time_bound)


def _setting(pin: Pin, device: Device, *, hard: bool = False) -> Status:
    """`Setting (try 2, next 14:40)`; a lock that cannot be reached is retried as a whole."""
    tries, upcoming = pin.attempts, pin.next_attempt_at
    if device.failures:
        tries, upcoming = max(tries, device.failures), device.next_sync_at
    if not tries or not _in_trouble(pin, device):
        return Status(_("Setting"), "wait", pending=True)
    tone = "warn" if hard else "wait"
    if upcoming is None or upcoming <= now():
        return Status(_("Setting (try %(try)d)") % {"try": tries + 1}, tone, attention=hard, pending=True)
    words = format_html(_("Setting (try {}, next {})"), tries + 1, clock(upcoming, listing.zone_of(device)))
    return Status(words, tone, attention=hard, pending=True)


def _in_trouble(pin: Pin, device: Device) -> bool:
    return bool(pin.trouble) or bool(device.failures) or listing.unreachable(device)


def _not_yet(give_up_at: datetime, device: Device) -> Status:
    if not _has_pool(device):
        return Status(_("Not on lock yet"), "warn", attention=True, pending=True, note=_no_pool())
    told = clock(give_up_at, listing.zone_of(device))
    words = format_html(_("Not on lock yet (backup pulled at {} if this continues)"), told)
    return Status(words, "warn", attention=True, pending=True)


def _failed(code: AccessCode, pin: Pin, device: Device) -> Status:
    if not code.time_bound:
        note = _("Backup codes do not cover ongoing codes. Try again or change the PIN.")
        return Status(_("Failed"), "bad", attention=True, note=note)
    if not _has_pool(device):
        return Status(_("Failed"), "bad", attention=True, note=_no_pool())
    return _not_yet(pin.give_up_at or now(), device)


def _no_pool() -> str:
    return _("This lock has no backup codes: give the guest another way in.")


def _has_pool(device: Device) -> bool:
    return device.caps is None or device.caps.backup_pool is not False


def _leaving(pins: Sequence[Pin], *, since: datetime) -> Status:
    """Removing, overdue when it has taken longer than two minutes, or removed."""
    if not any(pin.maybe_on_lock for pin in pins):
        return Status(_("Removed"), "quiet")
    if now() - since > OVERDUE:
        return Status(_("Removal overdue (may still open the door)"), "bad", attention=True, pending=True)
    return Status(_("Removing"), "wait", pending=True)
