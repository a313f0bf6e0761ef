"""What editing a stay means for the PIN its guest holds: told before, and after if the lock cannot know yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.html import format_html
from django.utils.translation import gettext as _

from codes.cover import current, door_pin
from codes.models import AccessCode, CodePin
from codes.schedule import leads_of
from devices import listing
from devices.listing import Words
from devices.models import Device, Pin
from portal.clock import now
from portal.moments import clock, moment


@dataclass(frozen=True, slots=True)
class Stay:
    """A stay's window as it was before somebody changed it."""

    starts_at: datetime | None
    ends_at: datetime | None


def beforehand(code: AccessCode) -> list[Words]:
    """What carries over, as points of a list."""
    if not code.time_bound:
        return []
    points: list[Words] = []
    backup = current(code, CodePin.Role.BACKUP)
    hours = round(leads_of(code.device).programming.total_seconds() / 3600)
    if backup is not None:
        told = {"name": code.name, "backup": backup.pin.backup_code}
        points.append(_("%(name)s uses %(backup)s. It follows: the same PIN opens the door for the new dates.") % told)
        if not _begun(code):
            moved = _("A stay moved more than %(hours)d h ahead gets another PIN: the backup leaves the lock.")
            points.append(moved % {"hours": hours})
    elif door_pin(code) is not None:
        points.append(_("The PIN stays the same."))
    if code.ended_at is not None:
        points.append(_("This stay is over. With a later checkout it gets a new PIN."))
    if listing.unreachable(code.device):
        points.append(_("The lock is offline: it learns of the change when it is back."))
    return points


def afterwards(code: AccessCode, before: Stay) -> Words:
    """What to know after the change while the lock cannot be told; "" when it can, or need not be."""
    if not listing.unreachable(code.device) or before == Stay(code.starts_at, code.ends_at):
        return ""
    return format_html("{} {}", _("The lock is offline: it learns of this when it is back."), _meanwhile(code, before))


def one_link(reference: str, others: Sequence[str]) -> str:
    """A warning that a reference is another guest's too. `others`: the names."""
    told = {"reference": reference, "others": ", ".join(others)}
    return _("%(reference)s is the reference of %(others)s as well: each guest’s link shows the PINs of both.") % told


def _meanwhile(code: AccessCode, before: Stay) -> Words:
    zone = listing.zone_of(code.device)
    pin = door_pin(code)
    if before.ends_at and code.ends_at and code.ends_at < before.ends_at and pin is not None:
        return _("Until then the PIN may open the door for longer than the new checkout.")
    backup = current(code, CodePin.Role.BACKUP)
    if backup is not None and pin == backup.pin and backup.pin.seen_window.covers(backup.pin.window):
        return _("%(backup)s opens the door for the new dates all the same.") % {"backup": backup.pin.backup_code}
    own = current(code, CodePin.Role.OWN)
    if own is None or own.pin.give_up_at is None or not _has_pool(code.device):
        return ""
    pulled = format_html(_("If that is not before {}, a backup is pulled."), clock(own.pin.give_up_at, zone))
    if own.pin.status == Pin.Status.SET and own.pin.seen_until:
        return format_html(_("The PIN works until {}. {}"), moment(own.pin.seen_until, zone), pulled)
    return pulled


def _begun(code: AccessCode) -> bool:
    return code.starts_at is not None and code.starts_at <= now()


def _has_pool(device: Device) -> bool:
    return device.caps is not None and bool(device.caps.backup_pool)
