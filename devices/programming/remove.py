"""Taking one PIN off the lock. "Removed" is said only after the lock itself read as empty, and no copy is left."""

from devices.models import Pin
from devices.programming.look import (
    Found,
    compare,
    handle_of,
    list_codes,
    look_for,
    missing,
    readable,
    same_label,
)
from devices.programming.plan import retry
from devices.programming.turn import Silence, Steps, Turn
from devices.providers.base import Handle, ReadBack, Result
from portal.clock import now


def remove(turn: Turn, pin: Pin) -> Steps[None]:
    """One attempt to have the PIN off the lock. Raises Silence when the lock falls silent."""
    handle = handle_of(pin)
    if readable(turn):
        seen = yield from look_for(turn, pin)
        verdict = compare(turn, pin, seen)
        if verdict == Found.DIFFERENT:
            turn.note(pin, slot=None, code_id="")  # the place is a stranger's now; a copy of ours may be elsewhere
            yield from _finish(turn, pin)
            return
        if verdict == Found.EMPTY:
            yield from _finish(turn, pin)
            return
        handle = seen.handle or handle
    if handle is None:
        turn.note(pin, next_attempt_at=now() + retry(pin.attempts + 1))  # unreadable and its id was lost
        return
    yield from _take_off(turn, pin, handle)


def _take_off(turn: Turn, pin: Pin, handle: Handle) -> Steps[None]:
    turn.note(pin, status=Pin.Status.REMOVING, attempts=pin.attempts + 1)
    outcome = yield from turn.write("remove", handle)
    if outcome.result == Result.UNREACHABLE:
        raise Silence(Pin.Trouble.OFFLINE)
    if not readable(turn):
        if outcome.result in (Result.CONFIRMED, Result.ACCEPTED):
            missing(turn, pin)
            return
        _try_again(turn, pin, Pin.Trouble.REJECTED if outcome.result == Result.REJECTED else Pin.Trouble.NO_ANSWER)
        return
    seen = yield from turn.read(handle)
    if compare(turn, pin, seen) == Found.EMPTY:
        yield from _finish(turn, pin)
    elif outcome.result == Result.REJECTED:
        _try_again(turn, pin, Pin.Trouble.REJECTED)
    elif outcome.result == Result.CONFIRMED:
        _try_again(turn, pin, Pin.Trouble.NOT_STORED)
    else:
        _try_again(turn, pin, Pin.Trouble.NO_ANSWER)


def _finish(turn: Turn, pin: Pin) -> Steps[None]:
    """Its place is empty. On a lock that can be listed, make sure that no copy stands elsewhere."""
    if turn.caps.listable and turn.caps.read_back != ReadBack.NONE:
        for seen in (yield from list_codes(turn)):
            if same_label(turn, pin, seen) or compare(turn, pin, seen) == Found.MATCH:
                yield from turn.write("remove", seen.handle)
                _try_again(turn, pin, Pin.Trouble.NOT_STORED)
                turn.note(pin, next_attempt_at=now())
                return
    missing(turn, pin)
    if not pin.maybe_on_lock:
        make_room_known(turn)


def make_room_known(turn: Turn) -> None:
    """A place became free: PINs that wait for room may try at once."""
    waiting = Pin.objects.filter(device=turn.device, trouble=Pin.Trouble.FULL, next_attempt_at__isnull=False)
    for pin in waiting:
        turn.note(pin, next_attempt_at=None)


def _try_again(turn: Turn, pin: Pin, trouble: Pin.Trouble) -> None:
    turn.note(pin, trouble=trouble, next_attempt_at=now() + retry(pin.attempts))
    turn.went_wrong(trouble)
