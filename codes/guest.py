"""What a guest may know at the door: which PIN opens it now, or when it will be shown. Never whether it is a backup."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db import transaction
from django.db.models import Prefetch

from codes.booking import shared_with
from codes.cover import cover, current, door_pin
from codes.models import AccessCode, CodePin
from devices.activity import record
from devices.models import Event, Pin
from devices.providers.base import Window
from portal import once
from portal.clock import now
from portal.models import User
from portal.secret import Secret

ASKED_AGAIN = 120  # seconds in which "My code is not working" for one door is heard once


class Stage(StrEnum):
    EARLY = "early"  # the PIN comes at `shown_at`
    PIN = "pin"
    CALL = "call"  # no PIN works: the property's phone
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Door:
    """One door as its guest sees it. `secret` only at the stage PIN, `shown_at` only at EARLY.

    `staying`: from check-in until checkout and the late access are over. `told_at`: when the guest said that the PIN
    does not work.
    """

    code: AccessCode
    stage: Stage
    secret: Secret | None = None
    shown_at: datetime | None = None
    staying: bool = False
    told_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Booking:
    """The doors that a guest's link opens. `opened` is the code whose link it is."""

    opened: AccessCode
    doors: Sequence[Door]

    @property
    def starts_at(self) -> datetime | None:
        return min((door.code.starts_at for door in self.doors if door.code.starts_at), default=None)

    @property
    def ends_at(self) -> datetime | None:
        return max((door.code.ends_at for door in self.doors if door.code.ends_at), default=None)

    @property
    def until(self) -> datetime | None:
        """The next moment at which the clock alone changes what is shown."""
        at = now()
        moments = [m for door in self.doors for m in (door.shown_at, door.code.starts_at, door.code.ends_at)]
        return min((moment for moment in moments if moment and moment > at), default=None)


def booking_of(code: AccessCode) -> Booking:
    """What the link of this code shows now: its door, and those of the same booking reference. Reads only.

    Doors whose time is over are left out, unless all are.
    """
    given = CodePin.objects.select_related("pin__backup_code").order_by("pk")
    codes = (
        shared_with(code)
        .select_related("device__property__workspace")
        .prefetch_related(Prefetch("code_pins", given))
        .order_by("device__name", "starts_at", "pk")
    )
    doors = [at_the_door(one) for one in codes]
    open_doors = [door for door in doors if door.stage != Stage.OVER]
    return Booking(code, open_doors or [door for door in doors if door.code.pk == code.pk])


def at_the_door(code: AccessCode) -> Door:
    """What the guest's link shows of one door now. Reads only."""
    at = now()
    if code.ended_at is not None or (code.leaves_at is not None and code.leaves_at <= at):
        return Door(code, Stage.OVER)
    staying = code.starts_at is None or code.starts_at <= at
    shown_at = reveal_at(code)
    if shown_at and shown_at > at:
        return Door(code, Stage.EARLY, shown_at=shown_at, staying=staying)
    pin = door_pin(code)
    told_at = code.reported_at if staying else None
    if pin is None:
        return Door(code, Stage.CALL, staying=staying, told_at=told_at)
    return Door(code, Stage.PIN, secret=pin.secret, staying=staying, told_at=told_at)


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
    if own is not None and (own.pin.confirmed or _opens_for_the_guest_inside(code, own.pin)):
        return opens
    decided = own.pin.give_up_at if own is not None else None  # by then it is confirmed or covered
    return max(opens, decided or opens)


def _opens_for_the_guest_inside(code: AccessCode, pin: Pin) -> bool:
    """A running stay was extended and the lock has not heard of it: until the old checkout its PIN opens the door."""
    at = now()
    staying = code.starts_at is not None and code.starts_at <= at
    return staying and pin.believed and pin.seen_window.covers(Window(at, at))


def opened_by_guest(doors: Sequence[Door], *, page: bool) -> None:
    """Write down that the guest saw these doors: a PIN the first time, the page itself once a day.

    `page` is False for a page that only refreshed itself. A PIN that was seen is one that a guest holds.
    """
    looks = {door.code.pk: f"opened-{door.code.pk}-{door.stage}" for door in doors} if page else {}
    known = once.came_before(looks.values()) if looks else set()
    for door in doors:
        look = looks.get(door.code.pk)
        if (look and look not in known) or _unseen(door):
            _opened(door, look)


def _opened(door: Door, look: str | None) -> None:
    with transaction.atomic():
        first_look = look is not None and once.first_time(look)
        first_sight = _revealed(door)
        if first_look or first_sight:
            record(door.code.device, Event.Type.CODE_OPENED_BY_GUEST, subject=door.code.pk, name=door.code.name)


def not_working(door: Door) -> None:
    """ "My code is not working": another PIN once, if there is one, and the manager is told. Within the stay only.

    Pressed again it changes nothing: the guest is told to call. Pressed often it is heard once in two minutes.
    """
    code = door.code
    if not door.staying or door.stage not in (Stage.PIN, Stage.CALL):
        return
    with transaction.atomic():
        if not once.first_within(ASKED_AGAIN, f"not-working:{code.pk}"):
            return
        AccessCode.objects.filter(pk=code.pk).update(reported_at=now())
        record(code.device, Event.Type.CODE_NOT_WORKING, subject=code.pk, name=code.name)
        cover(code)


def settle_report(code: AccessCode, *, actor: User) -> None:
    """A person says that the guest who reported a PIN is in. The guest may report again. Twice does nothing more."""
    with transaction.atomic():
        if AccessCode.objects.filter(pk=code.pk, reported_at__isnull=False).update(reported_at=None):
            record(code.device, Event.Type.CODE_REPORT_SETTLED, actor=actor, subject=code.pk, name=code.name)


def _unseen(door: Door) -> list[int]:
    """The row of a PIN that is shown and that nobody has seen before."""
    pin = door_pin(door.code) if door.stage == Stage.PIN else None
    return [one.pk for one in door.code.code_pins.all() if pin and one.pin_id == pin.pk and one.revealed_at is None]


def _revealed(door: Door) -> bool:
    unseen = _unseen(door)
    return bool(unseen and CodePin.objects.filter(pk__in=unseen, revealed_at=None).update(revealed_at=now()))
