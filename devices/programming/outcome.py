"""What a write ended in, and what follows for the PIN."""

from datetime import datetime

from devices.models import Event, Pin
from devices.programming.look import confirm, recheck_spare
from devices.programming.plan import may_still_land, retry_of
from devices.programming.turn import Silence, Steps, Turn
from devices.providers.base import Handle, Observation, Outcome, Reason, Result, Slot, Window
from devices.windows import window_for
from portal.clock import now

REFUSALS = {
    Reason.DUPLICATE: Pin.Trouble.DUPLICATE,
    Reason.INVALID: Pin.Trouble.INVALID,
    Reason.UNSUPPORTED: Pin.Trouble.UNSUPPORTED,
    Reason.UNSPECIFIED: Pin.Trouble.REJECTED,
    None: Pin.Trouble.REJECTED,
}


def window_to_write(turn: Turn, pin: Pin) -> Window:
    """The window the lock is told."""
    return window_for(turn.caps, turn.device.property.time_zone, pin.window, now())


def there(turn: Turn, pin: Pin, outcome: Outcome, seen: Observation, written: Window) -> None:
    """Read back as there. A refused change of window leaves the old one standing."""
    said_no = outcome.result == Result.REJECTED
    confirm(turn, pin, seen, written=None if said_no else written)
    if pin.confirmed:
        turn.went_well()
        return
    trouble = REFUSALS.get(outcome.reason, Pin.Trouble.REJECTED) if said_no else Pin.Trouble.NOT_STORED
    _try_again(turn, pin, trouble)


def word_taken(turn: Turn, pin: Pin, outcome: Outcome, before: Pin.Status, written: Window) -> None:
    """A lock that cannot be read: sent is all that can ever be said. Raises Silence when even that is not known."""
    if outcome.result == Result.UNKNOWN:
        turn.note(pin, next_attempt_at=retry_of(pin, now()))
        raise Silence
    if outcome.result != Result.REJECTED:
        _sent(turn, pin, written)
        return
    trouble = REFUSALS.get(outcome.reason, Pin.Trouble.REJECTED)
    if before == Pin.Status.SENT or pin.unknown_at is not None:
        turn.note(pin, status=before)  # an earlier write is or may be on the lock, and nobody can look
        _try_again(turn, pin, trouble)
    elif outcome.reason == Reason.FULL:
        turn.note(pin, status=Pin.Status.PLANNED)
        wait_for_room(turn, pin)
    else:
        _refuse(turn, pin, trouble)


def refused(turn: Turn, pin: Pin, outcome: Outcome) -> Steps[None]:
    """The lock said no, and the place reads empty. Full waits for room; anything else is final for these digits.

    Before a person's PIN is refused for good, the spare that may stand in is read once more.
    """
    if outcome.reason == Reason.FULL:
        landing = may_still_land(pin, turn.caps, now())
        turn.note(pin, status=Pin.Status.UNKNOWN if landing else Pin.Status.PLANNED)
        wait_for_room(turn, pin)
        return
    trouble = REFUSALS.get(outcome.reason, Pin.Trouble.REJECTED)
    try:
        if pin.priority == Pin.Priority.PERSON:
            yield from recheck_spare(turn)
    except Silence:
        _refuse(turn, pin, trouble)
        raise
    _refuse(turn, pin, trouble)


def not_stored(turn: Turn, pin: Pin, outcome: Outcome) -> None:
    """Said yes or nothing, and the place reads empty: it may still land, so the place stays taken while we wait."""
    lied = outcome.result == Result.CONFIRMED
    turn.note(pin, status=Pin.Status.UNKNOWN, unknown_at=now())
    _try_again(turn, pin, Pin.Trouble.NOT_STORED if lied else Pin.Trouble.NO_ANSWER)


def displaced(turn: Turn, pin: Pin, handle: Handle | None, *, again: datetime | None = None) -> None:
    """Somebody else's digits stand where ours should be: theirs stay, ours look for another place, `again` then.

    While a write of ours may still land there, the place stays ours as well.
    """
    if isinstance(handle, Slot):
        avoid(turn, handle.number)
    at = now()
    turn.note_lock(read_wanted=True)
    if waits := may_still_land(pin, turn.caps, at):
        turn.note(pin, status=Pin.Status.UNKNOWN, next_attempt_at=waits)
        return
    turn.note(pin, status=Pin.Status.GONE, slot=None, code_id="", unknown_at=None, next_attempt_at=again)


def avoid(turn: Turn, number: int) -> None:
    """A slot that was thought to be ours or free holds something that is not."""
    if str(number) in turn.strangers:
        return
    turn.strangers.add(str(number))
    turn.record(Event.Type.UNMANAGED_FOUND, place=str(number))
    turn.note_lock(unmanaged=sorted(int(place) for place in turn.strangers))


def wait_for_room(turn: Turn, pin: Pin) -> None:
    """Somebody may be able to make room, so they are told."""
    turn.note(pin, tell=True, trouble=Pin.Trouble.FULL, next_attempt_at=retry_of(pin, now()))
    turn.went_wrong(Pin.Trouble.FULL)


def _sent(turn: Turn, pin: Pin, written: Window) -> None:
    turn.note(
        pin,
        status=Pin.Status.SENT,
        seen_from=written.starts_at,
        seen_until=written.ends_at,
        unknown_at=None,
        trouble=Pin.Trouble.NONE,
        next_attempt_at=None,
    )
    turn.went_well()


def _refuse(turn: Turn, pin: Pin, trouble: Pin.Trouble) -> None:
    """A refusal proves nothing about an earlier write that may still land: then nobody knows until it cannot."""
    if may_still_land(pin, turn.caps, now()):
        turn.note(pin, status=Pin.Status.UNKNOWN)
        _try_again(turn, pin, trouble)
        return
    turn.went_wrong(trouble)
    turn.note(pin, status=Pin.Status.REFUSED, trouble=trouble, unknown_at=None, next_attempt_at=None)


def _try_again(turn: Turn, pin: Pin, trouble: Pin.Trouble) -> None:
    turn.note(pin, tell=True, trouble=trouble, next_attempt_at=retry_of(pin, now()))
    turn.went_wrong(trouble)
