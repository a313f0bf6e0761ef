"""What a guest may know at the door: which PIN opens it now, or when it will be shown. Never whether it is a backup."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db import transaction

from codes.cover import current, door_pin
from codes.models import AccessCode, CodePin
from devices.activity import record
from devices.models import Event
from portal.clock import now
from portal.secret import Secret


class Stage(StrEnum):
    EARLY = "early"  # the PIN comes at `shown_at`
    PIN = "pin"
    CALL = "call"  # no PIN works: the property's phone
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Door:
    """One door as its guest sees it. `secret` only at the stage PIN, `shown_at` only at EARLY."""

    code: AccessCode
    stage: Stage
    secret: Secret | None = None
    shown_at: datetime | None = None


def at_the_door(code: AccessCode) -> Door:
    """What the guest's link shows now. Reads only."""
    at = now()
    if code.ended_at is not None or (code.ends_at is not None and code.ends_at <= at):
        return Door(code, Stage.OVER)
    shown_at = reveal_at(code)
    if shown_at and shown_at > at:
        return Door(code, Stage.EARLY, shown_at=shown_at)
    pin = door_pin(code)
    return Door(code, Stage.PIN, secret=pin.secret) if pin else Door(code, Stage.CALL)


def reveal_at(code: AccessCode) -> datetime | None:
    """When the link shows a PIN: the workspace's reveal time, or later, once the own PIN is confirmed or covered.

    A backup, which works at once, is never shown before check-in less the early access. None for an ongoing code: now.
    """
    if code.starts_at is None:
        return None
    workspace = code.device.property.workspace
    opens = code.starts_at - workspace.reveal_lead
    own, backup = current(code, CodePin.Role.OWN), current(code, CodePin.Role.BACKUP)
    if backup is not None:
        return max(opens, code.starts_at - workspace.early_access)
    if own is not None and own.pin.confirmed:
        return opens
    decided = own.pin.give_up_at if own is not None else None  # by then it is confirmed or covered
    return max(opens, decided or opens)


def shown_to_guest(door: Door) -> None:
    """Write down, the first time, that the guest saw this PIN: from now on it is one that a guest holds."""
    with transaction.atomic():
        pin = door_pin(door.code)
        first = pin is not None and CodePin.objects.filter(pin=pin, revealed_at=None).update(revealed_at=now())
        if first:
            record(door.code.device, Event.Type.CODE_OPENED_BY_GUEST, subject=door.code.pk, name=door.code.name)
