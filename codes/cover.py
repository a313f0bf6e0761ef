"""Covering a failed code with a backup, and which PIN opens the door. Database only: a stuck lock cannot delay it."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Prefetch, QuerySet

from backups.models import BackupCode
from backups.services import draw_for, refill
from codes.metrics import pulled
from codes.models import AccessCode, CodePin
from devices.activity import event, record, record_all
from devices.models import Device, Event, Pin
from devices.services import request_syncs, wake_worker
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


class Held(NamedTuple):
    """The backup and the own PIN that a code has now."""

    backup: CodePin | None
    own: CodePin | None


def holding(given: Iterable[CodePin]) -> Held:
    """What it has of those it was given."""
    backup = own = None
    for one in given:
        if one.ended_at is None:
            if one.role == CodePin.Role.OWN:
                own = own or one
            elif one.role == CodePin.Role.BACKUP:
                backup = backup or one
    return Held(backup, own)


def door_pin(code: AccessCode, has: Held | None = None) -> Pin | None:
    """The PIN that opens the door for this code now: the one answer for link, list and reveal.

    The backup unless known to be gone, else its own if set, else its own if nobody knows, else None: "contact us".
    `has`: what it has now, if that is known.
    """
    if code.ended_at is not None:
        return None
    backup, own = has or holding(given_to(code))
    if backup and backup.pin.status not in NOT_THERE:
        return backup.pin
    pin = own.pin if own else None
    return pin if pin and _may_open(pin) else None


def _may_open(pin: Pin) -> bool:
    """Set with a window that is not over yet, or nobody knows."""
    if pin.believed:
        return pin.seen_until is None or pin.seen_until > now()
    return pin.status in (Pin.Status.UNKNOWN, Pin.Status.WRITING)


def cover(code: AccessCode, *, actor: User | None = None, wake: bool = True) -> BackupCode | None:
    """Give a time-bound code a backup. The same one again while it may work; None, loudly, when none is ready.

    Ongoing and ended codes are never covered.
    """
    with transaction.atomic():
        given = _cover([code.pk], _locked([code.device_id]), actor)
        if wake and code.pk in given:
            wake_worker(code.device_id)
    return given.get(code.pk)


def cover_if_due(code: AccessCode, at: datetime) -> BackupCode | None:
    """Cover a code that was due a moment ago, if it still is: its PIN may be confirmed or its stay moved by now."""
    with transaction.atomic():
        devices = _locked([code.device_id])
        return _cover(_still_due([code], at), devices, None).get(code.pk)


def cover_together(codes: Collection[AccessCode], at: datetime) -> list[AccessCode]:
    """Cover codes of different locks, those that are still due; gives back those whose lock's row somebody has now.

    As many statements for fifty as for one: many guests may be due in the same second, when a hub goes down. Waits for
    nobody, so that those who hold several rows in another order cannot wait for us in turn.
    """
    with transaction.atomic():
        devices = _locked((code.device_id for code in codes), wait=False)
        free = [code for code in codes if code.device_id in devices]
        _cover(_still_due(free, at), devices, None)
    return [code for code in codes if code.device_id not in devices]


def _still_due(codes: Collection[AccessCode], at: datetime) -> set[UUID]:
    given_up = _overdue(at).filter(code__in=[code.pk for code in codes])
    return {given.code_id for given in given_up if _not_there(given, at)}


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
    ).select_related("pin", "code")


def _not_there(given: CodePin, at: datetime) -> bool:
    """An own PIN must be confirmed; a backup was, and stays good until it is gone, or was not put back in time."""
    pin = given.pin
    given_up = pin.give_up_at is not None and pin.give_up_at <= at
    if given.role == CodePin.Role.BACKUP and not given_up:
        return pin.status in NOT_THERE
    return not pin.confirmed


def _locked(device_ids: Iterable[UUID], *, wait: bool = True) -> dict[UUID, Device]:
    """These locks' rows for this transaction; without waiting, those that are to be had at once."""
    skip = not wait and connection.features.has_select_for_update_skip_locked
    rows = Device.objects.select_for_update(of=("self",), skip_locked=skip).select_related("property__workspace")
    return {device.pk: device for device in rows.filter(pk__in=set(device_ids)).order_by("pk")}


def _cover(code_ids: Collection[UUID], devices: dict[UUID, Device], actor: User | None) -> dict[UUID, BackupCode]:
    """Cover codes, one a lock, whose locks' rows are held. Reads each code afresh; leaves out who gets none."""
    at, given = now(), {}
    needing: list[AccessCode] = []
    for code in _coverable(code_ids):
        code.device = devices[code.device_id]
        held = current(code, CodePin.Role.BACKUP)
        if held and not _not_there(held, at):
            given[code.pk] = held.pin.backup_code
        else:
            needing.append(code)
    spares = draw_for([code.device for code in needing])
    fresh = {code: spares[code.device_id] for code in needing if code.device_id in spares}
    for code in needing:
        if code not in fresh and (current(code, CodePin.Role.BACKUP) is None or door_pin(code) is None):
            _uncovered(code)
    if fresh:
        _give(fresh, actor)
    return given | {code.pk: spare for code, spare in fresh.items()}


def _coverable(code_ids: Collection[UUID]) -> QuerySet[AccessCode]:
    pins = Prefetch("code_pins", CodePin.objects.select_related("pin").order_by("pk"))
    live = AccessCode.objects.live().filter(pk__in=code_ids, kind=AccessCode.Kind.TIME_BOUND)
    return live.order_by("pk").prefetch_related(pins)


def _give(fresh: dict[AccessCode, BackupCode], actor: User | None) -> None:
    """Each code has the spare that was drawn for it. Its own PIN, or a backup that is gone, is not pursued any more."""
    at = now()
    for code, spare in fresh.items():
        if gone := current(code, CodePin.Role.BACKUP):  # it is another's turn
            _end(gone)
        spare.pin.wanted_from, spare.pin.wanted_until = code.starts_at, code.leaves_at
    pins = [spare.pin for spare in fresh.values()]
    Pin.objects.bulk_update(pins, ["wanted_from", "wanted_until"])
    Pin.objects.filter(pk__in=[pin.pk for pin in pins]).update(priority=Pin.Priority.PERSON, give_up_at=None)
    CodePin.objects.bulk_create(
        CodePin(code=code, pin=spare.pin, role=CodePin.Role.BACKUP, given_at=at) for code, spare in fresh.items()
    )
    AccessCode.objects.filter(pk__in=[code.pk for code in fresh]).update(uncovered_since=None)
    own = [given for code in fresh if (given := current(code, CodePin.Role.OWN))]
    _stand_back(own)
    record_all(_pulled(code, spare, actor) for code, spare in fresh.items())
    request_syncs([code.device_id for code in fresh])


def _pulled(code: AccessCode, spare: BackupCode, actor: User | None) -> Event:
    """What the activity says of it; it is counted as well."""
    own = current(code, CodePin.Role.OWN)
    cause = own.pin.trouble or code.device.trouble if own else ""
    pulled(cause, by_person=actor is not None)
    told = {"name": code.name, "backup": spare.code_id, "reason": cause, "tries": _tries(code)}
    return event(code.device, Event.Type.BACKUP_PULLED, actor=actor, subject=code.pk, **told)


def _tries(code: AccessCode) -> int:
    """How often a PIN of its own was tried since a person last changed it, other digits counted in."""
    own = (given for given in given_to(code) if given.role == CodePin.Role.OWN and given.given_at >= code.changed_at)
    return sum(given.pin.attempts for given in own)


def _stand_back(own: Iterable[CodePin]) -> None:
    """The codes' own PINs are not pursued any more. One that somebody knows stays if it is found on the lock."""
    by_wish: dict[Pin.Wanted, list[int]] = {}
    for given in own:
        stays = given.revealed_at is not None or given.code.pin_chosen
        by_wish.setdefault(Pin.Wanted.TOLERATED if stays else Pin.Wanted.ABSENT, []).append(given.pin_id)
    for wanted, pins in by_wish.items():
        Pin.objects.filter(pk__in=pins).update(wanted=wanted, give_up_at=None, next_attempt_at=None)


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
