"""Other digits for a code. What opens the door for a guest is withdrawn only after its replacement is confirmed.

While the code has a PIN that works, the new one is a PIN of role NEXT: wanted on the lock beside the old one. Once the
lock has it, it becomes the code's own and the others leave, in one transaction. A lock that is offline or refuses
costs the guest nothing.
"""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from backups.services import refill
from codes.cover import current, door_pin
from codes.models import AccessCode, CodePin
from codes.own_pin import MOST_TRIES, end_own_pin, give_own_pin
from codes.services import digits_for, locked
from devices import pins
from devices.activity import record
from devices.models import Device, Event, Pin
from devices.pin_rules import NoPinLeft
from devices.services import request_sync
from portal.clock import now
from portal.models import User
from portal.secret import Secret

SURE = frozenset({Pin.Status.SET, Pin.Status.SENT})
T = Event.Type


def change_pin(code: AccessCode, *, pin: Secret | None, actor: User | None = None) -> None:
    """Give the code other digits, new ones if `pin` is None. Raises ValidationError, and then changes nothing."""
    with transaction.atomic():
        device = locked(code.device)
        code = _fresh(code, device)
        if waiting := current(code, CodePin.Role.NEXT):
            end_own_pin(waiting)
        secret = digits_for(device, pin, code.starts_at, code.leaves_at)
        code.pin_chosen, code.changed_at, code.failed_at = pin is not None, now(), None
        code.save(update_fields=["pin_chosen", "changed_at", "failed_at"])
        if _keeps_the_door(code):
            give_own_pin(code, secret, needed_at=None, role=CodePin.Role.NEXT)
        else:
            _replace_now(code, secret)
        record(device, T.CODE_PIN_CHANGED, actor=actor, subject=code.pk, name=code.name)
        _changed(device)


def try_again(code: AccessCode, *, actor: User | None = None) -> None:
    """Set the code's own PIN once more, with the same digits. Raises ValidationError, and then changes nothing."""
    with transaction.atomic():
        device = locked(code.device)
        code = _fresh(code, device)
        own = current(code, CodePin.Role.OWN)
        if own is None or own.pin.confirmed or own.pin.wanted != Pin.Wanted.PRESENT:
            raise ValidationError(_("There is nothing to try again: this code’s PIN did not fail."))
        AccessCode.objects.filter(pk=code.pk).update(changed_at=now(), failed_at=None)
        if own.pin.status == Pin.Status.REFUSED:
            end_own_pin(own)
            pins.check(device, own.pin.secret, code.starts_at, code.leaves_at)
            give_own_pin(code, own.pin.secret, needed_at=code.starts_at)
        else:
            Pin.objects.filter(pk=own.pin_id).update(next_attempt_at=None)
        record(device, T.CODE_RETRIED, actor=actor, subject=code.pk, name=code.name)
        _changed(device)


def next_seen(given: CodePin) -> None:
    """The replacement changed on the lock. Runs inside the engine's transaction."""
    if given.pin.confirmed:
        withdraw_replaced(given)
    elif given.pin.status == Pin.Status.REFUSED:
        _was_refused(given)


def withdraw_replaced(given: CodePin) -> None:
    """The lock has the replacement: it is the code's own now, and what it replaces leaves the lock."""
    code = given.code
    with transaction.atomic():
        Device.objects.select_for_update().get(pk=code.device_id)
        if not CodePin.objects.filter(pk=given.pk, role=CodePin.Role.NEXT, ended_at=None).exists():
            return
        for role in (CodePin.Role.BACKUP, CodePin.Role.OWN):
            if old := current(code, role):
                end_own_pin(old)
        CodePin.objects.filter(pk=given.pk).update(role=CodePin.Role.OWN)
        AccessCode.objects.filter(pk=code.pk).update(uncovered_since=None, failed_at=None)
        sent, tries = given.pin.status == Pin.Status.SENT, given.pin.attempts
        record(code.device, T.CODE_SET, subject=code.pk, name=code.name, tries=tries, sent=sent)
        request_sync(code.device, wake=False)


def _was_refused(given: CodePin) -> None:
    """Other digits may do, three at most, if they are ours to choose. Else the code keeps the PIN it has."""
    code = given.code
    end_own_pin(given)
    tried = code.code_pins.filter(given_at__gte=code.changed_at).exclude(role=CodePin.Role.BACKUP).count()
    worth_it = given.pin.trouble != Pin.Trouble.UNSUPPORTED and not code.pin_chosen and tried < MOST_TRIES
    if worth_it and (other := _other_digits(code.device)):
        give_own_pin(code, other, needed_at=None, role=CodePin.Role.NEXT)
        return
    reason = given.pin.trouble
    record(code.device, T.CODE_FAILED, subject=code.pk, name=code.name, reason=reason, tries=tried)


def _other_digits(device: Device) -> Secret | None:
    try:
        return pins.pick(device)
    except NoPinLeft:
        return None


def _fresh(code: AccessCode, device: Device) -> AccessCode:
    """The code as it is now that its lock's row is held. Raises ValidationError for one that is over."""
    code = AccessCode.objects.get(pk=code.pk)
    if code.ended_at is not None:
        raise ValidationError(_("This code is over: its PIN cannot be changed."))
    code.device = device
    return code


def _keeps_the_door(code: AccessCode) -> bool:
    """Whether some PIN surely opens the door for this code, or may open it for somebody who is there already."""
    pin = door_pin(code)
    staying = code.starts_at is None or code.starts_at <= now()
    return pin is not None and (pin.status in SURE or staying)


def _replace_now(code: AccessCode, secret: Secret) -> None:
    """No PIN of the code works: nobody loses anything."""
    for role in (CodePin.Role.BACKUP, CodePin.Role.OWN):
        if old := current(code, role):
            end_own_pin(old)
    AccessCode.objects.filter(pk=code.pk).update(uncovered_since=None)
    give_own_pin(code, secret, needed_at=code.starts_at)


def _changed(device: Device) -> None:
    request_sync(device)
    refill(device)
