"""Covering a failed code with a backup, and which PIN opens the door. Database only: a stuck lock cannot delay it."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import F, QuerySet, Sum

from backups.models import BackupCode
from backups.services import draw, refill
from codes.metrics import pulled
from codes.models import AccessCode, CodePin
from devices.activity import record
from devices.models import Device, Event, Pin
from devices.services import request_sync
from portal.clock import now
from portal.models import User

NOT_THERE = {
    Pin.Status.GONE,
    Pin.Status.REFUSED,
    Pin.Status.REMOVED,
    Pin.Status.WITHDRAWN,
    Pin.Status.PLANNED,
}


def current(code: AccessCode, role: CodePin.Role) -> CodePin | None:
    """The PIN of that role the code has now. Uses `code_pins` if prefetched with their pins."""
    return next((given for given in given_to(code) if given.role == role and given.ended_at is None), None)


def door_pin(code: AccessCode) -> Pin | None:
    """The PIN that opens the door for this code now: the one answer for link, list and reveal.

    The backup unless known to be gone, else its own if set, else its own if nobody knows, else None: "contact us".
    """
    if code.ended_at is not None:
        return None
    backup, own = current(code, CodePin.Role.BACKUP), current(code, CodePin.Role.OWN)
    if backup and backup.pin.status not in NOT_THERE:
        return backup.pin
    return own.pin if own and _may_open(own.pin) else None


def _may_open(pin: Pin) -> bool:
    """Set with a window that is not over yet, or nobody knows."""
    if pin.status in (Pin.Status.SET, Pin.Status.SENT):
        return pin.seen_until is None or pin.seen_until > now()
    return pin.status in (Pin.Status.UNKNOWN, Pin.Status.WRITING)


def cover(code: AccessCode, *, actor: User | None = None, wake: bool = True) -> BackupCode | None:
    """Give a time-bound code a backup. The same one again while it may work; None, loudly, when none is ready.

    Ongoing and ended codes are never covered.
    """
    with transaction.atomic():
        Device.objects.select_for_update().get(pk=code.device_id)
        code = AccessCode.objects.select_related("device__property__workspace").get(pk=code.pk)
        if not code.time_bound or code.ended_at is not None:
            return None
        held = current(code, CodePin.Role.BACKUP)
        if held and not _not_there(held, now()):
            return held.pin.backup_code
        fresh = draw(code.device)
        if fresh is None:
            if held is None or door_pin(code) is None:
                _uncovered(code)
            return None
        if held:  # gone from the lock: it is another's turn
            _end(held)
        _give_backup(code, fresh, actor)
        request_sync(code.device, wake=wake)
    return fresh


def cover_if_due(code: AccessCode, at: datetime) -> BackupCode | None:
    """Cover a code that was due a moment ago, if it still is: its PIN may be confirmed or its stay moved by now."""
    with transaction.atomic():
        Device.objects.select_for_update().get(pk=code.device_id)
        due = any(_not_there(given, at) for given in _overdue(at).filter(code=code))
        return cover(code, wake=False) if due else None


def cover_next(device: Device) -> None:
    """A spare became ready: it goes to the most urgent code that needed one, running stays before nearer check-ins."""
    waiting = (
        AccessCode.objects.live()
        .filter(device=device, uncovered_since__isnull=False)
        .order_by(F("starts_at").asc())
        .first()
    )
    if waiting:
        cover(waiting, wake=False)


def due_for_cover(at: datetime) -> Iterable[AccessCode]:
    """Codes past their give-up moment whose PIN is not there, the most urgent first."""
    return [given.code for given in _overdue(at).order_by("code__starts_at") if _not_there(given, at)]


def _overdue(at: datetime) -> QuerySet[CodePin]:
    return CodePin.objects.filter(
        ended_at=None,
        pin__give_up_at__lte=at,
        pin__wanted=Pin.Wanted.PRESENT,
        code__ended_at=None,
        code__kind=AccessCode.Kind.TIME_BOUND,
        code__uncovered_since=None,
    ).select_related("pin", "code__device__property__workspace")


def _not_there(given: CodePin, at: datetime) -> bool:
    """An own PIN must be confirmed; a backup was, and stays good until it is gone, or was not put back in time."""
    pin = given.pin
    given_up = pin.give_up_at is not None and pin.give_up_at <= at
    if given.role == CodePin.Role.BACKUP and not given_up:
        return pin.status in NOT_THERE
    return not pin.confirmed


def _give_backup(code: AccessCode, backup: BackupCode, actor: User | None) -> None:
    at = now()
    own = current(code, CodePin.Role.OWN)
    Pin.objects.filter(pk=backup.pin_id).update(
        priority=Pin.Priority.PERSON, wanted_from=code.starts_at, wanted_until=code.leaves_at, give_up_at=None
    )
    CodePin.objects.create(code=code, pin=backup.pin, role=CodePin.Role.BACKUP, given_at=at)
    AccessCode.objects.filter(pk=code.pk).update(uncovered_since=None)
    if own:
        _stand_back(own)
    cause = own.pin.trouble or code.device.trouble if own else ""
    pulled(cause, by_person=actor is not None)
    record(
        code.device,
        Event.Type.BACKUP_PULLED,
        actor=actor,
        subject=code.pk,
        name=code.name,
        backup=backup.code_id,
        reason=cause,
        tries=_tries(code),
    )


def _tries(code: AccessCode) -> int:
    """How often a PIN of its own was tried since a person last changed it, other digits counted in."""
    own = code.code_pins.filter(role=CodePin.Role.OWN, given_at__gte=code.changed_at)
    total: int | None = own.aggregate(tries=Sum("pin__attempts"))["tries"]
    return total or 0


def _stand_back(own: CodePin) -> None:
    """The code's own PIN is not pursued any more. One that somebody knows stays if it is found on the lock."""
    stays = own.revealed_at is not None or own.code.pin_chosen
    wanted = Pin.Wanted.TOLERATED if stays else Pin.Wanted.ABSENT
    Pin.objects.filter(pk=own.pin_id).update(wanted=wanted, give_up_at=None, next_attempt_at=None)


def _uncovered(code: AccessCode) -> None:
    newly = AccessCode.objects.filter(pk=code.pk, uncovered_since=None).update(uncovered_since=now())
    if newly:
        record(code.device, Event.Type.UNCOVERED, subject=code.pk, name=code.name, reason=code.device.trouble)
        refill(code.device, wake=False)  # spares that rest are tried sooner now


def _end(given: CodePin) -> None:
    CodePin.objects.filter(pk=given.pk, ended_at=None).update(ended_at=now())
    Pin.objects.filter(pk=given.pin_id).update(wanted=Pin.Wanted.ABSENT, give_up_at=None, next_attempt_at=None)


def given_to(code: AccessCode) -> Iterable[CodePin]:
    """All PINs it was ever given, the first one first. Uses `code_pins` if prefetched with their pins."""
    cached = getattr(code, "_prefetched_objects_cache", {}).get("code_pins")
    return cached if cached is not None else code.code_pins.select_related("pin").order_by("pk")
