"""What people do with access codes. Each is one transaction that writes what is wanted, and wakes the worker."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from backups.models import BackupCode
from backups.services import refill
from codes.cover import cover, current, door_pin
from codes.models import AccessCode, CodePin
from codes.own_pin import end_own_pin, give_own_pin
from codes.schedule import give_up_at, leads_of, program_at
from devices import pins
from devices.activity import record
from devices.models import Device, Event, Pin
from devices.pin_rules import NoPinLeft
from devices.providers.base import Window
from devices.services import request_sync
from portal.clock import now
from portal.models import User
from portal.secret import Secret

__all__ = [
    "add_code",
    "cancel_code",
    "change_code",
    "door_pin",
    "end_code",
    "pull_backup",
    "resume_code",
    "reveal",
    "suggest_pin",
]


def add_code(
    *,
    device: Device,
    name: str,
    kind: AccessCode.Kind | str,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    pin: Secret | None = None,
    booking_reference: str = "",
    actor: User | None = None,
) -> AccessCode:
    """Add a guest's or an ongoing code to a lock. Instants are aware. Raises ValidationError, and then adds nothing."""
    with transaction.atomic():
        device = locked(device)
        code = AccessCode(
            device=device,
            name=name.strip(),
            booking_reference=booking_reference.strip(),
            kind=kind,
            starts_at=starts_at,
            ends_at=ends_at,
            pin_chosen=pin is not None,
            changed_at=now(),
        )
        _check_window(code)
        code.full_clean(exclude=["device"])
        secret = digits_for(device, pin, starts_at, code.leaves_at)
        code.save()
        give_own_pin(code, secret, needed_at=starts_at)
        record(device, Event.Type.CODE_CREATED, actor=actor, subject=code.pk, name=code.name)
        _changed(device)
    return code


def change_code(
    code: AccessCode,
    *,
    name: str,
    starts_at: datetime | None,
    ends_at: datetime | None,
    booking_reference: str | None = None,
    actor: User | None = None,
) -> None:
    """Move, extend, shorten or rename. A covered code's backup follows. Raises ValidationError.

    `booking_reference`: None leaves it as it is.
    """
    with transaction.atomic():
        device = locked(code.device)
        code.refresh_from_db()
        if code.cancelled_at is not None:
            raise ValidationError(_("This code was cancelled. Add a new one."))
        old_start, was_over, before = code.starts_at, code.ended_at is not None, _told(code)
        moved = (code.starts_at, code.ends_at) != (starts_at, ends_at)
        needed_at = _needed_at(code, starts_at)
        code.device, code.name, code.starts_at, code.ends_at = device, name.strip(), starts_at, ends_at
        if booking_reference is not None:
            code.booking_reference = booking_reference.strip()
        _check_window(code)
        if moved:
            code.changed_at, code.ended_at = now(), None
        code.full_clean(exclude=["device"])
        code.save(update_fields=["name", "booking_reference", "starts_at", "ends_at", "changed_at", "ended_at"])
        told = {"was": before, "now": _told(code)}
        record(device, Event.Type.CODE_CHANGED, actor=actor, subject=code.pk, name=code.name, **told)
        if not moved:
            return
        if was_over or _refused(code) or _moved_out_of_reach(code, old_start):
            _start_afresh(code, needed_at=starts_at)
        else:
            _carry_over(code, needed_at)
        _changed(device)


def cancel_code(code: AccessCode, *, actor: User | None = None) -> None:
    """End a code now: every PIN it was given leaves the lock. Doing it twice does nothing more."""
    with transaction.atomic():
        device = locked(code.device, being_removed=True)
        at = now()
        if not AccessCode.objects.filter(pk=code.pk, cancelled_at=None).update(cancelled_at=at):
            return
        end_code(code)
        record(device, Event.Type.CODE_CANCELLED, actor=actor, subject=code.pk, name=code.name)
        request_sync(device)
        refill(device)


def end_code(code: AccessCode) -> None:
    """Close a code: no PIN of it is wanted on the lock any more. The rows stay, so none is ever given again."""
    with transaction.atomic():
        Device.objects.select_for_update().get(pk=code.device_id)
        at = now()
        AccessCode.objects.filter(pk=code.pk, ended_at=None).update(ended_at=at, uncovered_since=None)
        given = CodePin.objects.filter(code=code)
        Pin.objects.filter(code_pin__in=given).exclude(wanted=Pin.Wanted.ABSENT).update(
            wanted=Pin.Wanted.ABSENT, give_up_at=None, next_attempt_at=None
        )
        given.filter(ended_at=None).update(ended_at=at)


def resume_code(code: AccessCode) -> None:
    """Let a stay go on that was closed before its checkout, by a clock that ran ahead: with new digits."""
    with transaction.atomic():
        device = locked(code.device)
        going_on = AccessCode.objects.filter(pk=code.pk, cancelled_at=None, ended_at__isnull=False, ends_at__gt=now())
        if not going_on.update(ended_at=None, changed_at=now()):
            return
        code.refresh_from_db()
        code.device = device
        _start_afresh(code, needed_at=code.starts_at)
        record(device, Event.Type.CODE_CHANGED, subject=code.pk, name=code.name)
        _changed(device)


def pull_backup(code: AccessCode, *, actor: User | None = None) -> BackupCode | None:
    """ "Use a backup code now". Pressed again it is the same backup. None when no spare is ready.

    Raises ValidationError for a code that backups do not cover.
    """
    if not code.time_bound:
        raise ValidationError(_("Backup codes do not cover ongoing codes. Try again or change the PIN."))
    if code.ended_at is not None:
        raise ValidationError(_("This code is over: it needs no backup."))
    return cover(code, actor=actor)


def reveal(code: AccessCode, *, actor: User) -> Secret | None:
    """Show a person the PIN that works now, and write down that they saw it. None: no PIN works now."""
    with transaction.atomic():  # the lock's row is held, so that no cover withdraws these digits meanwhile
        device = Device.objects.select_for_update(of=("self",)).select_related("property").get(pk=code.device_id)
        pin = door_pin(AccessCode.objects.get(pk=code.pk))
        if pin is None:
            return None
        CodePin.objects.filter(pin=pin, revealed_at=None).update(revealed_at=now())
        record(device, Event.Type.CODE_REVEALED, actor=actor, subject=code.pk, name=code.name)
        secret: Secret = pin.secret
    return secret


def suggest_pin(device: Device) -> Secret:
    """Digits that the lock would take and nobody has there. Raises NoPinLeft."""
    return pins.pick(device)


def locked(device: Device, *, being_removed: bool = False) -> Device:
    """The lock's row, held for this transaction: what is wanted of it changes one at a time."""
    row = Device.objects.select_for_update(of=("self",)).select_related("property__workspace", "hub").get(pk=device.pk)
    if row.removal != Device.Removal.KEPT and not being_removed:
        raise ValidationError(_("This lock is being removed. It takes no new codes."))
    return row


def _told(code: AccessCode) -> list[str | None]:
    """Name, check-in, checkout and booking reference as an event keeps them."""
    ends = (end.isoformat() if end else None for end in (code.starts_at, code.ends_at))
    return [code.name, *ends, code.booking_reference]


def _check_window(code: AccessCode) -> None:
    if not code.time_bound:
        if code.starts_at or code.ends_at:
            raise ValidationError(_("An ongoing code has no check-in and no checkout."))
        return
    if code.starts_at is None or code.ends_at is None:
        raise ValidationError({"starts_at": _("A time-bound code needs a check-in and a checkout.")})
    if code.ends_at <= code.starts_at:
        raise ValidationError({"ends_at": _("Checkout must be later than check-in.")})
    if code.leaves_at is None or code.leaves_at <= now():
        raise ValidationError({"ends_at": _("Checkout is in the past. Choose a later one.")})


def digits_for(device: Device, chosen: Secret | None, starts_at: datetime | None, ends_at: datetime | None) -> Secret:
    """The digits somebody chose, checked, or else new ones. Raises ValidationError."""
    if chosen is not None:
        pins.check(device, chosen, starts_at, ends_at)
        return chosen
    try:
        return pins.pick(device)
    except NoPinLeft as error:
        raise ValidationError(str(error)) from error


def _needed_at(code: AccessCode, starts_at: datetime | None) -> datetime | None:
    """When the changed PIN is needed: at check-in; for a stay extended whose PIN works so far, when that would end."""
    own = current(code, CodePin.Role.OWN)
    works_so_far = own is not None and own.pin.confirmed and code.starts_at == starts_at
    return code.leaves_at if works_so_far else starts_at


def _refused(code: AccessCode) -> bool:
    """The lock refused digits that were ours to choose: a changed wish is worth other ones."""
    own = current(code, CodePin.Role.OWN)
    if own is None or own.pin.wanted != Pin.Wanted.PRESENT:
        return False
    return own.pin.status == Pin.Status.REFUSED and not code.pin_chosen


def _moved_out_of_reach(code: AccessCode, old_start: datetime | None) -> bool:
    """A stay that had not begun moved so far ahead that nothing of it belongs on the lock yet.

    On a lock that keeps schedules the code's own PIN may simply stay; a spare, which works at once, may not.
    """
    at = now()
    leads = leads_of(code.device)
    begins = program_at(leads, code.starts_at)
    if old_start is None or old_start <= at or begins is None or begins <= at:
        return False
    own = current(code, CodePin.Role.OWN)
    own_open = own is not None and own.pin.maybe_on_lock and not leads.native
    return current(code, CodePin.Role.BACKUP) is not None or own_open


def _start_afresh(code: AccessCode, *, needed_at: datetime | None) -> None:
    for role in CodePin.Role:
        if given := current(code, role):
            end_own_pin(given)
    AccessCode.objects.filter(pk=code.pk).update(failed_at=None, pin_chosen=False)
    _waits_again(code, needed_at)
    give_own_pin(code, digits_for(code.device, None, code.starts_at, code.leaves_at), needed_at=needed_at)


def _carry_over(code: AccessCode, needed_at: datetime | None) -> None:
    """The PINs the code has follow its window. What the lock must be told, the engine finds by itself."""
    leads = leads_of(code.device)
    covered = current(code, CodePin.Role.BACKUP) is not None
    for given in CodePin.objects.filter(code=code, ended_at=None).select_related("pin"):
        values: dict[str, object] = {"wanted_from": code.starts_at, "wanted_until": code.leaves_at}
        if given.role == CodePin.Role.OWN and not covered:
            fits = given.pin.confirmed and given.pin.seen_window.covers(Window(code.starts_at, code.leaves_at))
            values["program_at"] = program_at(leads, code.starts_at)
            values["give_up_at"] = None if fits else give_up_at(leads, needed_at, code.changed_at)
            values["next_attempt_at"] = None
        Pin.objects.filter(pk=given.pin_id).update(**values)
    _waits_again(code, needed_at)


def _waits_again(code: AccessCode, needed_at: datetime | None) -> None:
    """A code that needed a backup needs it no more if its PIN is wanted beyond the lead now."""
    if needed_at is None or needed_at - leads_of(code.device).cover > now():
        AccessCode.objects.filter(pk=code.pk).update(uncovered_since=None)


def _changed(device: Device) -> None:
    request_sync(device)
    refill(device)
