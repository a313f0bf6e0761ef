"""Putting one PIN on the lock: look first, write down the intent, call, read back. Nothing is believed unread."""

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
    recheck_spare,
)
from devices.programming.plan import may_still_land, retry
from devices.programming.turn import Silence, Steps, Turn
from devices.providers.base import (
    Addressing,
    CodeId,
    Handle,
    Observation,
    Outcome,
    Reason,
    Result,
    Seen,
    Slot,
    Window,
)
from devices.windows import window_for
from portal.clock import now

REFUSALS = {
    Reason.DUPLICATE: Pin.Trouble.DUPLICATE,
    Reason.INVALID: Pin.Trouble.INVALID,
    Reason.UNSUPPORTED: Pin.Trouble.UNSUPPORTED,
    Reason.UNSPECIFIED: Pin.Trouble.REJECTED,
    None: Pin.Trouble.REJECTED,
}


def write(turn: Turn, pin: Pin) -> Steps[None]:
    """One attempt to have the PIN on the lock for its window. Raises Silence when the lock falls silent."""
    if pin.status in (Pin.Status.UNKNOWN, Pin.Status.WRITING):
        if (yield from _settled_by_reading(turn, pin)):
            return
    elif pin.maybe_on_lock and not (yield from _still_ours(turn, pin)):
        return
    handle = yield from _place_for(turn, pin)
    if handle is not None and _intend(turn, pin, handle):
        yield from _put(turn, pin, handle)


def _settled_by_reading(turn: Turn, pin: Pin) -> Steps[bool]:
    """Read first: a write that ended unknown may have landed. True: no write is needed, or none allowed."""
    if not readable(turn):
        if turn.caps.addressing == Addressing.CODE_ID and not pin.code_id:
            turn.note(pin, next_attempt_at=now() + retry(pin.attempts))  # a repeat could make a second code
            return True
        return False
    seen = yield from look_for(turn, pin)
    verdict = compare(turn, pin, seen)
    if verdict in (Found.MATCH, Found.MASKED):
        confirm(turn, pin, seen, written=pin.window)
        return pin.confirmed
    if verdict == Found.DIFFERENT:
        _lost_its_place(turn, pin, seen.handle)
        return False
    missing(turn, pin)
    waits = may_still_land(pin, turn.caps, now())
    if waits and handle_of(pin) is None:  # an id-creating write cannot be repeated while the first may land
        turn.note(pin, next_attempt_at=waits)
        return True
    return False


def _still_ours(turn: Turn, pin: Pin) -> Steps[bool]:
    """A PIN on the lock is to get another window: only over what is surely ours."""
    if not readable(turn):
        return True
    seen = yield from look_for(turn, pin)
    verdict = compare(turn, pin, seen)
    if verdict == Found.MATCH:
        return True
    if verdict == Found.MASKED:
        turn.note(pin, trouble=Pin.Trouble.UNSUPPORTED, next_attempt_at=now() + retry(10))
        return False
    if verdict == Found.DIFFERENT:
        _lost_its_place(turn, pin, seen.handle)
    else:
        missing(turn, pin)
    return False


def _lost_its_place(turn: Turn, pin: Pin, handle: Handle | None) -> None:
    """Somebody else's digits stand where ours should be: theirs stay, ours look for another place."""
    if isinstance(handle, Slot):
        _avoid(turn, handle.number)
    turn.note(pin, status=Pin.Status.GONE, slot=None, code_id="", unknown_at=None)


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
            confirm(turn, pin, seen, written=pin.window)  # landed late: it is there already
            return None
        _avoid(turn, number)
    _wait_for_room(turn, pin)
    return None


def free_slots(turn: Turn, pin: Pin | None = None) -> list[int]:
    """Slots that nothing is known to hold, the PIN's former one first."""
    caps = turn.caps
    held = set(
        Pin.objects.filter(device=turn.device, status__in=MAYBE_ON_LOCK, slot__isnull=False).values_list(
            "slot", flat=True
        )
    )
    held |= {int(place) for place in turn.strangers}
    count = caps.slots if caps.slots is not None else 250
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
    used = Pin.objects.filter(device=turn.device, status__in=MAYBE_ON_LOCK).count() + len(turn.strangers)
    return used < caps.slots


def _avoid(turn: Turn, number: int) -> None:
    turn.strangers.add(str(number))
    turn.note_lock(unmanaged=sorted(int(place) for place in turn.strangers))


def _intend(turn: Turn, pin: Pin, handle: Handle) -> bool:
    """Write down, before the call, that the PIN may be on the lock from now on. False: digits or place are taken."""
    slot = handle.number if isinstance(handle, Slot) else None
    try:
        turn.note(pin, status=Pin.Status.WRITING, slot=slot, attempts=pin.attempts + 1)
    except IntegrityError:
        pin.refresh_from_db()
        same = Pin.objects.filter(device=turn.device, digest=pin.digest, status__in=MAYBE_ON_LOCK).exclude(pk=pin.pk)
        if same.exists():
            turn.note(pin, status=Pin.Status.REFUSED, trouble=Pin.Trouble.DUPLICATE)
        return False
    return True


def _put(turn: Turn, pin: Pin, handle: Handle) -> Steps[None]:
    window = _window(turn, pin)
    previous = (pin.seen_from, pin.seen_until) if pin.confirmed_at else None
    outcome = yield from turn.write("put", handle, pin.secret, pin.label, window)
    if outcome.result == Result.UNREACHABLE:
        back = Pin.Status.UNKNOWN if pin.unknown_at or previous else Pin.Status.PLANNED
        turn.note(pin, status=back, trouble=Pin.Trouble.OFFLINE)
        raise Silence(Pin.Trouble.OFFLINE)
    if outcome.code_id and not pin.code_id:
        turn.note(pin, code_id=outcome.code_id)
    if outcome.result == Result.UNKNOWN:
        turn.note(pin, status=Pin.Status.UNKNOWN, unknown_at=now(), trouble=Pin.Trouble.NO_ANSWER)
    if not readable(turn):
        _take_its_word(turn, pin, outcome)
        return
    if outcome.result == Result.REJECTED and handle_of(pin) is None:
        yield from _spare_at_hand(turn, pin, outcome)
        _refused(turn, pin, outcome)  # no id was made, so there is no place to read
        return
    try:
        seen = yield from look_for(turn, pin)
    except Silence:
        turn.note(pin, status=Pin.Status.UNKNOWN, unknown_at=now(), trouble=Pin.Trouble.NO_ANSWER)
        raise
    verdict = compare(turn, pin, seen)
    if verdict in (Found.MATCH, Found.MASKED):
        _there(turn, pin, outcome, seen)
    elif verdict == Found.DIFFERENT:
        _lost_its_place(turn, pin, seen.handle)
    elif outcome.result == Result.REJECTED:
        yield from _spare_at_hand(turn, pin, outcome)
        _refused(turn, pin, outcome)
    else:
        _not_stored(turn, pin, outcome)


def _window(turn: Turn, pin: Pin) -> Window:
    return window_for(turn.caps, turn.device.property.time_zone, pin.window, now())


def _there(turn: Turn, pin: Pin, outcome: Outcome, seen: Observation) -> None:
    """Read back as there. A refused change of window leaves the old one standing."""
    refused = outcome.result == Result.REJECTED
    confirm(turn, pin, seen, written=None if refused else _window(turn, pin))
    if pin.confirmed:
        turn.went_well()
        return
    trouble = REFUSALS.get(outcome.reason, Pin.Trouble.REJECTED) if refused else Pin.Trouble.NOT_STORED
    turn.note(pin, trouble=trouble, next_attempt_at=now() + retry(pin.attempts))
    turn.went_wrong(trouble)


def _take_its_word(turn: Turn, pin: Pin, outcome: Outcome) -> None:
    """A lock that cannot be read: sent is all that can ever be said."""
    if outcome.result == Result.REJECTED:
        _refused(turn, pin, outcome)
    elif outcome.result == Result.UNKNOWN:
        turn.note(pin, next_attempt_at=now() + retry(pin.attempts))
        raise Silence
    else:
        window = _window(turn, pin)
        turn.note(
            pin,
            status=Pin.Status.SENT,
            seen_from=window.starts_at,
            seen_until=window.ends_at,
            unknown_at=None,
            trouble=Pin.Trouble.NONE,
            next_attempt_at=None,
        )
        turn.went_well()


def _refused(turn: Turn, pin: Pin, outcome: Outcome) -> None:
    """The lock said no, and the place reads empty. Full waits for room; anything else is final for these digits.

    A refusal proves nothing about an earlier write that may still land: then the PIN stays unknown until it cannot.
    """
    if outcome.reason == Reason.FULL:
        turn.note(pin, status=_proven_absent(turn, pin))
        _wait_for_room(turn, pin)
        return
    trouble = REFUSALS.get(outcome.reason, Pin.Trouble.REJECTED)
    turn.went_wrong(trouble)
    if may_still_land(pin, turn.caps, now()):
        turn.note(pin, status=Pin.Status.UNKNOWN, trouble=trouble, next_attempt_at=now() + retry(pin.attempts))
    else:
        turn.note(pin, status=Pin.Status.REFUSED, trouble=trouble, next_attempt_at=None)


def _spare_at_hand(turn: Turn, pin: Pin, outcome: Outcome) -> Steps[None]:
    """Before a person's PIN is refused for good: make sure that the spare which may stand in is really there."""
    if pin.priority != Pin.Priority.PERSON or outcome.reason == Reason.FULL:
        return
    try:
        yield from recheck_spare(turn)
    except Silence:
        _refused(turn, pin, outcome)
        raise


def _proven_absent(turn: Turn, pin: Pin) -> Pin.Status:
    return Pin.Status.UNKNOWN if may_still_land(pin, turn.caps, now()) else Pin.Status.PLANNED


def _not_stored(turn: Turn, pin: Pin, outcome: Outcome) -> None:
    """Said yes or nothing, and the place reads empty: it may still land, so the place stays taken while we wait."""
    lied = outcome.result == Result.CONFIRMED
    trouble = Pin.Trouble.NOT_STORED if lied else Pin.Trouble.NO_ANSWER
    at = now()
    turn.note(
        pin,
        status=Pin.Status.UNKNOWN,
        unknown_at=at,
        trouble=trouble,
        next_attempt_at=at + retry(pin.attempts),
    )
    turn.went_wrong(trouble)


def _wait_for_room(turn: Turn, pin: Pin) -> None:
    rest = now() + retry(max(pin.attempts, 1))
    turn.note(pin, tell=True, trouble=Pin.Trouble.FULL, next_attempt_at=rest)  # somebody may be able to make room
    turn.went_wrong(Pin.Trouble.FULL)
