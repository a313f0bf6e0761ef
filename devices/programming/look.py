"""Looking at the lock: one PIN's place, or all of it, and what that says of the PINs we know."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum

from devices import pins
from devices.activity import record
from devices.models import MAYBE_ON_LOCK, Event, Pin
from devices.programming.plan import may_still_land, over
from devices.programming.turn import Steps, Turn
from devices.providers.base import (
    ALWAYS,
    Addressing,
    CodeId,
    Handle,
    Observation,
    ReadBack,
    Seen,
    Slot,
    Window,
)
from portal.clock import now


class Found(StrEnum):
    """What a place says about one PIN."""

    EMPTY = "empty"
    MATCH = "match"
    MASKED = "masked"  # something is there: presence, not digits
    DIFFERENT = "different"  # somebody else's digits


def readable(turn: Turn) -> bool:
    return turn.caps.read_back != ReadBack.NONE


def handle_of(pin: Pin) -> Handle | None:
    """Where the PIN is, or would be; None while nobody knows."""
    if pin.slot is not None:
        return Slot(pin.slot)
    return CodeId(pin.code_id) if pin.code_id else None


def place_of(handle: Handle | None) -> str:
    """A place as text: slot number or code id."""
    match handle:
        case Slot(number):
            return str(number)
        case CodeId(value):
            return value
    return ""


def compare(turn: Turn, pin: Pin, seen: Observation) -> Found:
    """Hold an observation against a PIN's digits, by what the lock itself can tell apart."""
    if seen.seen == Seen.EMPTY:
        return Found.EMPTY
    if seen.seen == Seen.MASKED or seen.pin is None:
        return Found.MASKED
    same = pins.digest_of(turn.device, seen.pin) == pin.digest
    return Found.MATCH if same else Found.DIFFERENT


def look_for(turn: Turn, pin: Pin) -> Steps[Observation]:
    """What is at a PIN's place; with no place known (its id was lost), what is listed as its label or digits."""
    handle = handle_of(pin)
    if handle is not None:
        return (yield from turn.read(handle))
    listed = yield from list_codes(turn)
    for seen in listed:
        if same_label(turn, pin, seen) or compare(turn, pin, seen) == Found.MATCH:
            return seen
    return Observation(Seen.EMPTY)


def settle_by_reading(turn: Turn, pin: Pin) -> Steps[None]:
    """Find out whether a PIN is there, and leave it as it is."""
    seen = yield from look_for(turn, pin)
    if compare(turn, pin, seen) in (Found.MATCH, Found.MASKED):
        confirm(turn, pin, seen, written=pin.window)
    else:
        missing(turn, pin)


def list_codes(turn: Turn) -> Steps[Sequence[Observation]]:
    """Everything on the lock. Raises Silence unless every place answered."""
    listed: Sequence[Observation] = yield from turn.ask("read_all", deadline=20.0)
    return listed


def same_label(turn: Turn, pin: Pin, seen: Observation) -> bool:
    """The label on the lock is this PIN's, cut to what the lock stores."""
    length = turn.caps.label_length
    return bool(seen.label) and length > 0 and seen.label == pin.label[:length]


def window_on_lock(turn: Turn, seen: Observation, written: Window | None) -> Window:
    """When a PIN found on the lock opens it: always, where the lock keeps no schedules."""
    if not turn.caps.native_schedules:
        return ALWAYS
    return seen.window or written or ALWAYS


def confirm(turn: Turn, pin: Pin, seen: Observation, *, written: Window | None = None) -> None:
    """The lock itself said that the PIN is there."""
    window = window_on_lock(turn, seen, written or pin.seen_window)
    place: dict[str, object] = {}
    if isinstance(seen.handle, CodeId):
        place["code_id"] = seen.handle.value
    elif isinstance(seen.handle, Slot):
        place["slot"] = seen.handle.number
    status = Pin.Status.REMOVING if pin.status == Pin.Status.REMOVING else Pin.Status.SET
    turn.note(
        pin,
        status=status,
        seen_from=window.starts_at,
        seen_until=window.ends_at,
        confirmed_at=now(),
        unknown_at=None,
        trouble=Pin.Trouble.NONE if status == Pin.Status.SET else pin.trouble,
        next_attempt_at=None if status == Pin.Status.SET else pin.next_attempt_at,
        **place,
    )


def missing(turn: Turn, pin: Pin) -> None:
    """The lock itself said that the PIN is not there: no proof while a write of it may still land."""
    at = now()
    lands_until = may_still_land(pin, turn.caps, at)
    if lands_until:
        if pin.wanted != Pin.Wanted.PRESENT or over(pin, at):
            turn.note(pin, next_attempt_at=lands_until)
        return
    if pin.status == Pin.Status.REMOVING or pin.wanted == Pin.Wanted.ABSENT or over(pin, at):
        turn.note(pin, status=Pin.Status.REMOVED, removed_at=at, unknown_at=None, next_attempt_at=None)
    elif pin.status in (Pin.Status.UNKNOWN, Pin.Status.WRITING):
        turn.note(pin, status=Pin.Status.PLANNED, unknown_at=None)
    elif pin.maybe_on_lock:
        turn.note(pin, status=Pin.Status.GONE, next_attempt_at=None)


def recheck_spare(turn: Turn) -> Steps[None]:
    """Read spares once more, the latest confirmed first, until one is surely there: somebody is about to need it."""
    ready = Pin.objects.filter(
        device=turn.device, priority=Pin.Priority.SPARE, status=Pin.Status.SET, wanted=Pin.Wanted.PRESENT
    )
    for pin in ready.order_by("-confirmed_at"):
        yield from settle_by_reading(turn, pin)
        if pin.status == Pin.Status.SET:
            return


def read_in_full(turn: Turn) -> Steps[None]:
    """Read the whole lock and mend what we believe: found, missing, former guests' codes, and what is not ours."""
    if readable(turn):
        listed = yield from list_codes(turn)
        found = {place_of(seen.handle): seen for seen in listed}
        _mend_known(turn, found)
        _mend_former(turn, found)
        _note_strangers(turn, found)
    turn.note_lock(read_at=now(), read_wanted=False)


def _mend_known(turn: Turn, found: dict[str, Observation]) -> None:
    """PINs that may be on the lock: take each one's observation out of `found`."""
    spares_first = Pin.objects.filter(device=turn.device, status__in=MAYBE_ON_LOCK).order_by("-priority", "pk")
    for pin in spares_first:  # so that a lost guest's PIN is covered by a spare that is surely there
        place = place_of(handle_of(pin)) or _place_by_label(turn, pin, found.values())
        seen = found.get(place)
        verdict = compare(turn, pin, seen) if seen else Found.EMPTY
        if seen and verdict in (Found.MATCH, Found.MASKED):
            del found[place]
            confirm(turn, pin, seen)
            continue
        if pin.status == Pin.Status.SET and pin.wanted == Pin.Wanted.PRESENT:
            kind = Event.Type.CODE_CHANGED_OUTSIDE if seen else Event.Type.CODE_DELETED_OUTSIDE
            record(turn.device, kind, label=pin.label)
        missing(turn, pin)


def _place_by_label(turn: Turn, pin: Pin, listed: Iterable[Observation]) -> str:
    for seen in listed:
        if same_label(turn, pin, seen) or compare(turn, pin, seen) == Found.MATCH:
            return place_of(seen.handle)
    return ""


def _mend_former(turn: Turn, found: dict[str, Observation]) -> None:
    """What landed late or came back: adopt it if it is still wanted, else take it off if it is ours to take."""
    at = now()
    for place, seen in list(found.items()):
        pin = _former(turn, place, seen)
        if pin is None:
            continue
        if pin.wanted != Pin.Wanted.ABSENT and not over(pin, at):
            del found[place]
            confirm(turn, pin, seen)
        elif _ours(turn, pin, place, seen):
            del found[place]
            record(turn.device, Event.Type.STRAY_REMOVED, label=pin.label)
            _claim_stray(turn, pin, seen, at)
        elif place not in turn.strangers:
            record(turn.device, Event.Type.STRAY_FOUND, label=pin.label)


def _former(turn: Turn, place: str, seen: Observation) -> Pin | None:
    """The PIN of ours that an unexplained code on the lock is: by digits, else by label."""
    candidates = Pin.objects.filter(device=turn.device).exclude(status__in=MAYBE_ON_LOCK).order_by("-pk")
    taken = Pin.objects.filter(device=turn.device, status__in=MAYBE_ON_LOCK)
    if taken.filter(**_at(place, seen)).exists():
        return None  # a place that one of ours may still turn out to hold
    if seen.pin is not None:
        digest = pins.digest_of(turn.device, seen.pin)
        if taken.filter(digest=digest).exists():
            return None  # a copy of digits that are rightly there
        matches = candidates.filter(digest=digest)
        still_wanted = matches.exclude(wanted=Pin.Wanted.ABSENT).first()
        if pin := still_wanted or matches.filter(**_at(place, seen)).first() or matches.first():
            return pin
    length = turn.caps.label_length
    if seen.label and length:
        return next((p for p in candidates.filter(label__startswith=seen.label) if same_label(turn, p, seen)), None)
    return None


def _at(place: str, seen: Observation) -> dict[str, object]:
    return {"slot": int(place)} if isinstance(seen.handle, Slot) else {"code_id": place}


def _ours(turn: Turn, pin: Pin, place: str, seen: Observation) -> bool:
    """Written by us: known by slot, id or label. Equal digits alone could be a stranger's choice."""
    known_place = place in (str(pin.slot), pin.code_id) and bool(pin.attempts)
    return known_place or same_label(turn, pin, seen)


def _claim_stray(turn: Turn, pin: Pin, seen: Observation, at: datetime) -> None:
    slot = seen.handle.number if isinstance(seen.handle, Slot) else None
    code_id = seen.handle.value if isinstance(seen.handle, CodeId) else ""
    turn.note(
        pin,
        status=Pin.Status.REMOVING,
        slot=slot,
        code_id=code_id,
        confirmed_at=at,
        next_attempt_at=None,
    )


def _note_strangers(turn: Turn, found: dict[str, Observation]) -> None:
    """Count what is not ours: shown, never touched, never collided with."""
    now_there = set(found)
    if now_there == turn.strangers:
        return
    device = turn.device
    for place in sorted(now_there - turn.strangers):
        record(device, Event.Type.UNMANAGED_FOUND, place=place)
    for place in sorted(turn.strangers - now_there):
        record(device, Event.Type.UNMANAGED_GONE, place=place)
    turn.strangers = now_there
    by_slot = turn.caps.addressing == Addressing.SLOT
    turn.note_lock(unmanaged=sorted((int(p) if by_slot else p) for p in now_there))
