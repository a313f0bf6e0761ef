"""Looking at the lock for one PIN, and what was found means for it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from devices import pins
from devices.models import MAYBE_ON_LOCK, Pin
from devices.programming.plan import may_still_land, must_leave, over
from devices.programming.turn import Silence, Steps, Turn
from devices.providers.base import (
    ALWAYS,
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
    return Found.MATCH if pins.same(turn.device, seen.pin, pin.secret) else Found.DIFFERENT


def look_for(turn: Turn, pin: Pin) -> Steps[Observation]:
    """What is at a PIN's place; with no place known (its id was lost), what is listed as its digits or label.

    NO_ANSWER when the list holds codes that show neither: ours may be among them.
    """
    handle = handle_of(pin)
    if handle is not None:
        return (yield from turn.read(handle))
    listed = others_aside(turn, pin, (yield from list_codes(turn)))
    place = place_by_content(turn, pin, listed)
    if place:
        return next(seen for seen in listed if place_of(seen.handle) == place)
    return Observation(Seen.NO_ANSWER if hidden_among(listed) else Seen.EMPTY)


def hidden_among(listed: Iterable[Observation]) -> bool:
    """Some codes show neither digits nor label: one whose id was lost may be any of them."""
    return any(seen.pin is None and not seen.label for seen in listed)


def place_by_content(turn: Turn, pin: Pin, listed: Iterable[Observation]) -> str:
    """Where the PIN's digits are listed; else where its label is."""
    listed = list(listed)
    by_digits = (seen for seen in listed if compare(turn, pin, seen) == Found.MATCH)
    by_label = (seen for seen in listed if same_label(turn, pin, seen))
    seen = next(by_digits, None) or next(by_label, None)
    return place_of(seen.handle) if seen else ""


def others_aside(turn: Turn, pin: Pin, listed: Iterable[Observation]) -> list[Observation]:
    """What is listed without the places that other PINs of ours hold."""
    others = Pin.objects.filter(device=turn.device, status__in=MAYBE_ON_LOCK).exclude(pk=pin.pk)
    held = {place_of(handle_of(other)) for other in others} - {""}
    return [seen for seen in listed if place_of(seen.handle) not in held]


def settle_by_reading(turn: Turn, pin: Pin) -> Steps[None]:
    """Find out whether a PIN is there, and leave it as it is. Raises Silence when that cannot be found out."""
    seen = yield from look_for(turn, pin)
    if seen.seen == Seen.NO_ANSWER:
        raise Silence
    if compare(turn, pin, seen) in (Found.MATCH, Found.MASKED):
        confirm(turn, pin, seen)
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
    """When a PIN found on the lock opens it: always, where the lock keeps no schedules; else as last written."""
    if not turn.caps.native_schedules:
        return ALWAYS
    return seen.window or written or ALWAYS


def confirm(turn: Turn, pin: Pin, seen: Observation, *, written: Window | None = None) -> None:
    """The lock itself said that the PIN is there.

    One that is to leave, or that a lost removal may still take, goes on being REMOVING.
    """
    at = now()
    lands_until = may_still_land(pin, turn.caps, at)
    leaving = pin.status == Pin.Status.REMOVING and (must_leave(pin, at) or lands_until is not None)
    window = window_on_lock(turn, seen, written or pin.seen_window)
    place: dict[str, Any] = {}
    if isinstance(seen.handle, CodeId):
        place["code_id"] = seen.handle.value
    elif isinstance(seen.handle, Slot):
        place["slot"] = seen.handle.number
    if not leaving:
        place |= {"status": Pin.Status.SET, "trouble": Pin.Trouble.NONE, "next_attempt_at": None}
    turn.note(
        pin,
        seen_from=window.starts_at,
        seen_until=window.ends_at,
        confirmed_at=at,
        unknown_at=pin.unknown_at if lands_until else None,
        **place,
    )


def missing(turn: Turn, pin: Pin) -> None:
    """The lock itself said that the PIN is not there: no proof while a write of it may still land."""
    at = now()
    lands_until = may_still_land(pin, turn.caps, at)
    if lands_until:
        _may_yet_come(turn, pin, at, lands_until)
    elif pin.wanted == Pin.Wanted.ABSENT or over(pin, at):
        turn.note(pin, status=Pin.Status.REMOVED, removed_at=at, unknown_at=None, next_attempt_at=None)
    elif pin.maybe_on_lock:
        was_there = pin.confirmed_at is not None
        values: dict[str, Any] = {"next_attempt_at": None} if was_there else {}
        turn.note(pin, status=Pin.Status.GONE if was_there else Pin.Status.PLANNED, unknown_at=None, **values)
        if was_there:
            turn.note_lock(read_wanted=True)  # who took this one off may have taken more


def _may_yet_come(turn: Turn, pin: Pin, at: datetime, lands_until: datetime) -> None:
    values: dict[str, Any] = {}
    if pin.believed:
        values["status"] = Pin.Status.UNKNOWN
    if pin.wanted != Pin.Wanted.PRESENT or over(pin, at):
        values["next_attempt_at"] = lands_until
    if values:
        turn.note(pin, **values)


def recheck_spare(turn: Turn) -> Steps[None]:
    """Read spares once more, the latest confirmed first, until one is surely there: somebody is about to need it."""
    ready = Pin.objects.filter(
        device=turn.device, priority=Pin.Priority.SPARE, status=Pin.Status.SET, wanted=Pin.Wanted.PRESENT
    )
    for pin in ready.order_by("-confirmed_at"):
        yield from settle_by_reading(turn, pin)
        if pin.status == Pin.Status.SET:
            return
