"""Reading the whole lock: what is found, missing, a former guest's, or not ours at all."""

from datetime import datetime

from django.db import transaction

from devices import pins
from devices.models import MAYBE_ON_LOCK, Event, Pin
from devices.programming.look import (
    Found,
    compare,
    confirm,
    handle_of,
    hidden_among,
    list_codes,
    missing,
    place_by_content,
    place_of,
    readable,
    same_label,
)
from devices.programming.plan import over
from devices.programming.turn import Steps, Turn
from devices.providers.base import Addressing, CodeId, Observation, Slot
from portal.clock import now


def read_in_full(turn: Turn) -> Steps[None]:
    """Read the whole lock and mend what we believe: found, missing, former guests' codes, and what is not ours."""
    if readable(turn):
        listed = yield from list_codes(turn)
        found = {place_of(seen.handle): seen for seen in listed}
        _mend_known(turn, found)
        _mend_former(turn, found)
        _note_strangers(turn, found)
    turn.note_lock(read_at=now())
    _read_as_wanted(turn)


def _read_as_wanted(turn: Turn) -> None:
    """Nobody asks for a full read any more, unless somebody did so since this turn began."""
    with transaction.atomic():
        if turn.lease.hold().version == turn.lease.version:
            turn.note_lock(read_wanted=False)


def _mend_known(turn: Turn, found: dict[str, Observation]) -> None:
    """PINs that may be on the lock: take each one's observation out of `found`."""
    spares_first = Pin.objects.filter(device=turn.device, status__in=MAYBE_ON_LOCK).order_by("-priority", "pk")
    for pin in spares_first:  # so that a lost guest's PIN is covered by a spare that is surely there
        place = place_of(handle_of(pin)) or place_by_content(turn, pin, found.values())
        seen = found.get(place)
        verdict = compare(turn, pin, seen) if seen else Found.EMPTY
        if seen and verdict in (Found.MATCH, Found.MASKED):
            del found[place]
            confirm(turn, pin, seen)
            continue
        if not place and hidden_among(found.values()):
            continue  # its id was lost, and it may be any of those
        if pin.status == Pin.Status.SET and pin.wanted == Pin.Wanted.PRESENT:
            kind = Event.Type.CODE_CHANGED_OUTSIDE if seen else Event.Type.CODE_DELETED_OUTSIDE
            turn.record(kind, label=pin.label)
        missing(turn, pin)


def _mend_former(turn: Turn, found: dict[str, Observation]) -> None:
    """What landed late or came back: adopt it if it is still wanted, else take it off if it is ours to take."""
    at = now()
    for place, seen in list(found.items()):
        pin = former(turn, place, seen)
        if pin is None:
            continue
        if pin.wanted != Pin.Wanted.ABSENT and not over(pin, at):
            if compare(turn, pin, seen) != Found.DIFFERENT:  # else somebody changed the digits under our label
                del found[place]
                confirm(turn, pin, seen)
        elif ours(turn, pin, place, seen):
            del found[place]
            turn.record(Event.Type.STRAY_REMOVED, label=pin.label)
            _claim_stray(turn, pin, seen, at)
        elif place not in turn.strangers:
            turn.record(Event.Type.STRAY_FOUND, label=pin.label)


def former(turn: Turn, place: str, seen: Observation) -> Pin | None:
    """The PIN of ours that an unexplained code on the lock is: by digits, else by label. It was sent there once."""
    sent_once = Pin.objects.filter(device=turn.device, attempts__gt=0)
    candidates = sent_once.exclude(status__in=MAYBE_ON_LOCK).order_by("-pk")
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


def ours(turn: Turn, pin: Pin, place: str, seen: Observation) -> bool:
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
    for place in sorted(now_there - turn.strangers):
        turn.record(Event.Type.UNMANAGED_FOUND, place=place)
    for place in sorted(turn.strangers - now_there):
        turn.record(Event.Type.UNMANAGED_GONE, place=place)
    turn.strangers = now_there
    by_slot = turn.caps.addressing == Addressing.SLOT
    turn.note_lock(unmanaged=sorted((int(p) if by_slot else p) for p in now_there))
