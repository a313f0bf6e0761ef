"""A code's own PIN: giving it one, giving it another."""

import secrets
from datetime import datetime

from codes.models import AccessCode, CodePin
from codes.schedule import give_up_at, leads_of, program_at
from devices import pins
from devices.models import Device, Pin
from devices.pin_rules import NoPinLeft
from portal.clock import now
from portal.secret import Secret

MOST_TRIES = 3  # sets of digits for one wish, the first included


def give_own_pin(
    code: AccessCode, secret: Secret, *, needed_at: datetime | None, role: CodePin.Role = CodePin.Role.OWN
) -> CodePin:
    """Want a PIN of the code's own on its lock, for the code's window. `needed_at`: check-in, or an old checkout.

    One that is only to replace a PIN that works (`NEXT`) is waited for without end.
    """
    leads = leads_of(code.device)
    at = now()
    pin = pins.insert(
        code.device,
        secret,
        label=label_for(code),
        priority=Pin.Priority.PERSON,
        wanted_from=code.starts_at,
        wanted_until=code.leaves_at,
        program_at=program_at(leads, code.starts_at),
        give_up_at=give_up_at(leads, needed_at, at) if role == CodePin.Role.OWN else None,
    )
    return CodePin.objects.create(code=code, pin=pin, role=role, given_at=at)


def replace_own_pin(code: AccessCode, refused: CodePin) -> bool:
    """Give the code other digits in place of refused ones, waiting no longer than before. False: none are left."""
    try:
        secret = pins.pick(code.device)
    except NoPinLeft:
        return False
    end_own_pin(refused)
    fresh = give_own_pin(code, secret, needed_at=code.starts_at)
    Pin.objects.filter(pk=fresh.pin_id).update(give_up_at=refused.pin.give_up_at)
    return True


def end_own_pin(given: CodePin) -> None:
    """The code has this PIN no longer: it leaves the lock, if it ever was there."""
    CodePin.objects.filter(pk=given.pk, ended_at=None).update(ended_at=now())
    Pin.objects.filter(pk=given.pin_id).update(wanted=Pin.Wanted.ABSENT, give_up_at=None, next_attempt_at=None)


def label_for(code: AccessCode) -> str:
    """The guest's name and a short id, within what the lock stores: the id is what it is found again by."""
    length = _label_length(code.device)
    short_id = secrets.token_hex(2).upper()
    return f"{code.name[: max(length - len(short_id) - 1, 0)]} {short_id}".strip()


def _label_length(device: Device) -> int:
    stored = device.caps.label_length if device.caps else 0
    return min(stored or 40, 40)
