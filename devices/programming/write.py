"""Putting one PIN on the lock: look first, write down the intent, call, read back. Nothing is believed unread."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError

from devices.models import MAYBE_ON_LOCK, Pin
from devices.programming.look import (
    Found,
    compare,
    confirm,
    handle_of,
    look_for,
    missing,
    readable,
)
from devices.programming.outcome import (
    avoid,
    displaced,
    not_stored,
    refused,
    there,
    wait_for_room,
    window_to_write,
    word_taken,
)
from devices.programming.plan import may_still_land, must_leave, retry, retry_of
from devices.programming.turn import WRITE_DEADLINE, Silence, Steps, Turn
from devices.providers.base import Addressing, CodeId, Handle, Outcome, Result, Seen, Slot
from portal.clock import now

MOST_SLOTS = 250  # tried on a lock that does not say how many it has


@dataclass(frozen=True, slots=True)
class Before:
    """What was known of a PIN before a write, to return to when nothing was sent."""

    status: Pin.Status
    unknown_at: datetime | None
    seen_from: datetime | None
    seen_until: datetime | None

    @classmethod
    def of(cls, pin: Pin) -> "Before":
        status = Pin.Status.UNKNOWN if pin.status == Pin.Status.WRITING else Pin.Status(pin.status)
        return cls(status, pin.unknown_at, pin.seen_from, pin.seen_until)


def write(turn: Turn, pin: Pin) -> Steps[None]:
    """One attempt to have the PIN on the lock for its window. Raises Silence when the lock falls silent."""
    if pin.status in (Pin.Status.UNKNOWN, Pin.Status.WRITING, Pin.Status.REMOVING):
        if (yield from _settled_by_reading(turn, pin)):
            return
    elif pin.maybe_on_lock and not (yield from _still_ours(turn, pin)):
        return
    handle = yield from _place_for(turn, pin)
    if handle is None:
        return
    before = Before.of(pin)
    if _intend(turn, pin, handle):
        yield from _put(turn, pin, handle, before)


def _settled_by_reading(turn: Turn, pin: Pin) -> Steps[bool]:
    """Read first: a write that ended unknown may have landed. True: no write is needed, or none allowed."""
    waits = may_still_land(pin, turn.caps, now())
    if waits and pin.status == Pin.Status.REMOVING:  # a removal that got lost may still take what we would write
        turn.note(pin, next_attempt_at=waits)
        return True
    if not readable(turn):
        return _must_not_repeat(turn, pin)
    seen = yield from look_for(turn, pin)
    if seen.seen == Seen.NO_ANSWER:
        return _must_not_repeat(turn, pin)
    verdict = compare(turn, pin, seen)
    if verdict in (Found.MATCH, Found.MASKED):
        confirm(turn, pin, seen)
        return pin.confirmed or (verdict == Found.MASKED and _left_as_it_is(turn, pin))
    if verdict == Found.DIFFERENT:
        displaced(turn, pin, seen.handle)
        return pin.maybe_on_lock
    missing(turn, pin)
    if waits and turn.caps.addressing == Addressing.CODE_ID:  # not to be repeated while the first may land
        turn.note(pin, next_attempt_at=waits)
        return True
    return False


def _must_not_repeat(turn: Turn, pin: Pin) -> bool:
    """Nobody can look whether an id-creating write has landed: a repeat could make a second code."""
    if turn.caps.addressing != Addressing.CODE_ID or pin.code_id:
        return False
    turn.note(pin, next_attempt_at=retry_of(pin, now()))
    return True


def _still_ours(turn: Turn, pin: Pin) -> Steps[bool]:
    """A PIN on the lock is to get another window: only over what is surely ours."""
    if not readable(turn):
        return True
    seen = yield from look_for(turn, pin)
    verdict = compare(turn, pin, seen)
    if verdict == Found.MATCH:
        return True
    if verdict == Found.MASKED:
        _left_as_it_is(turn, pin)
    elif verdict == Found.DIFFERENT:
        displaced(turn, pin, seen.handle)
    else:
        missing(turn, pin)
    return False


def _left_as_it_is(turn: Turn, pin: Pin) -> bool:
    """What shows no digits is never overwritten, not even to change its window."""
    turn.note(pin, trouble=Pin.Trouble.UNSUPPORTED, next_attempt_at=now() + retry(10))
    return True


def _place_for(turn: Turn, pin: Pin) -> Steps[Handle | None]:
    """Where to write: its own place, or for a first write a slot that was just read as empty. None: no room."""
    if turn.caps.addressing == Addressing.CODE_ID:
        return CodeId(pin.code_id if pin.maybe_on_lock else "")
    if pin.maybe_on_lock and pin.slot is not None:
        return Slot(pin.slot)
    for number in free_slots(turn, pin):
        if not readable(turn):
            return Slot(number)
        seen = yield from turn.read(Slot(number))
        if seen.seen == Seen.EMPTY:
            return Slot(number)
        if compare(turn, pin, seen) == Found.MATCH and pin.attempts:
            confirm(turn, pin, seen)  # landed late: it is there already
            return None
        avoid(turn, number)
    wait_for_room(turn, pin)
    return None


def free_slots(turn: Turn, pin: Pin | None = None) -> list[int]:
    """Slots that nothing is known to hold, the PIN's former one first."""
    caps = turn.caps
    held = {pin.slot for pin in turn.known if pin.maybe_on_lock} | {int(place) for place in turn.strangers}
    count = caps.slots if caps.slots is not None else MOST_SLOTS
    slots = [n for n in range(caps.first_slot, caps.first_slot + count) if n not in held]
    if pin and pin.slot in slots:
        slots.remove(pin.slot)
        slots.insert(0, pin.slot)
    return slots


def has_room(turn: Turn) -> bool:
    """Another PIN would fit, as far as we know."""
    caps = turn.caps
    if caps.slots is None:
        return True
    if caps.addressing == Addressing.SLOT:
        return bool(free_slots(turn))
    used = sum(pin.maybe_on_lock for pin in turn.known) + len(turn.strangers)
    return used < caps.slots


def _intend(turn: Turn, pin: Pin, handle: Handle) -> bool:
    """Write down, before the call, that the PIN may be on the lock from now on. False: its digits are taken there.

    Should this process die now, the call may land until its deadline and as much later as the provider allows.
    """
    at = now()
    values: dict[str, Any] = {"unknown_at": at + timedelta(seconds=WRITE_DEADLINE), "attempts": pin.attempts + 1}
    if isinstance(handle, Slot):
        values["slot"] = handle.number
    else:
        values["code_id"] = handle.value
    if not pin.maybe_on_lock:
        window = window_to_write(turn, pin)
        values |= {"seen_from": window.starts_at, "seen_until": window.ends_at, "confirmed_at": None}
    try:
        turn.intend(pin, status=Pin.Status.WRITING, **values)
    except IntegrityError:
        pin.refresh_from_db()
        _meets_its_like(turn, pin, at)
        return False
    return True


def _meets_its_like(turn: Turn, pin: Pin, at: datetime) -> None:
    """The same digits may be on the lock already: wait for them if they are to leave, else these are refused."""
    like = Pin.objects.filter(device=turn.device, digest=pin.digest, status__in=MAYBE_ON_LOCK).exclude(pk=pin.pk)
    other = like.first()
    if other is not None and not must_leave(other, at) and other.wanted_until is None:
        turn.note(pin, status=Pin.Status.REFUSED, trouble=Pin.Trouble.DUPLICATE)
        return
    turn.note(pin, trouble=Pin.Trouble.DUPLICATE, next_attempt_at=retry_of(pin, at))


def _put(turn: Turn, pin: Pin, handle: Handle, before: Before) -> Steps[None]:
    written = window_to_write(turn, pin)  # another one may be wanted by the time it is read back
    turn.pressing = pin.priority == Pin.Priority.PERSON
    outcome = yield from turn.write("put", handle, pin.secret, pin.label, written)
    turn.pressing &= outcome.result == Result.REJECTED  # until it was read back and is covered
    _note_answer(turn, pin, outcome, before)
    if not readable(turn):
        word_taken(turn, pin, outcome, before.status, written)
        return
    if outcome.result == Result.REJECTED and handle_of(pin) is None:
        yield from refused(turn, pin, outcome)  # no id was made, so there is no place to read
        return
    try:
        seen = yield from look_for(turn, pin)
        if seen.seen == Seen.NO_ANSWER:
            raise Silence
    except Silence:
        turn.note(pin, status=Pin.Status.UNKNOWN, unknown_at=now(), trouble=Pin.Trouble.NO_ANSWER)
        raise
    verdict = compare(turn, pin, seen)
    if verdict in (Found.MATCH, Found.MASKED):
        there(turn, pin, outcome, seen, written)
    elif verdict == Found.DIFFERENT:
        displaced(turn, pin, seen.handle, again=retry_of(pin, now()))
    elif outcome.result == Result.REJECTED:
        yield from refused(turn, pin, outcome)
    else:
        not_stored(turn, pin, outcome)
    turn.pause_after(outcome)


def _note_answer(turn: Turn, pin: Pin, outcome: Outcome, before: Before) -> None:
    """Write down what the call ended in, before anything is read. Raises Silence when it was never sent."""
    if outcome.result == Result.UNREACHABLE:
        turn.note(
            pin,
            status=before.status,
            unknown_at=before.unknown_at,
            seen_from=before.seen_from,
            seen_until=before.seen_until,
            trouble=Pin.Trouble.OFFLINE,
        )
        raise Silence(Pin.Trouble.OFFLINE)
    values: dict[str, Any] = {"code_id": outcome.code_id} if outcome.code_id else {}
    if outcome.result == Result.UNKNOWN:  # sent, and perhaps sent again: it may land twice
        values |= {"status": Pin.Status.UNKNOWN, "trouble": Pin.Trouble.NO_ANSWER}
        turn.note(pin, unknown_at=now(), **values)
    elif outcome.code_id:  # an id that got lost could not be found again
        turn.note(pin, unknown_at=before.unknown_at, **values)
    else:
        turn.owe(pin, unknown_at=before.unknown_at)
