"""Taking one PIN off the lock. "Removed" is said only after the lock itself read as empty, and no copy is left."""

from datetime import timedelta

from devices.models import Pin
from devices.programming.look import (
    Found,
    compare,
    handle_of,
    hidden_among,
    list_codes,
    look_for,
    missing,
    others_aside,
    place_by_content,
    place_of,
    readable,
)
from devices.programming.plan import retry
from devices.programming.turn import WRITE_DEADLINE, Silence, Steps, Turn
from devices.providers.base import Handle, Observation, Outcome, Result, Seen
from portal.clock import now


def remove(turn: Turn, pin: Pin) -> Steps[None]:
    """One attempt to have the PIN off the lock. Raises Silence when the lock falls silent."""
    handle = handle_of(pin)
    if readable(turn):
        seen = yield from look_for(turn, pin)
        if seen.seen == Seen.NO_ANSWER:  # its id was lost, and the lock shows nothing to find it by
            _try_again(turn, pin, Pin.Trouble.UNSUPPORTED)
            return
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
    before = pin.unknown_at
    tries = pin.attempts + 1 if pin.status == Pin.Status.REMOVING else 1
    in_flight = now() + timedelta(seconds=WRITE_DEADLINE)  # should this process die now
    turn.intend(pin, status=Pin.Status.REMOVING, attempts=tries, unknown_at=in_flight)
    outcome = yield from turn.write("remove", handle)
    if outcome.result == Result.UNREACHABLE:
        turn.note(pin, unknown_at=before, trouble=Pin.Trouble.OFFLINE)
        raise Silence(Pin.Trouble.OFFLINE)
    lost = outcome.result == Result.UNKNOWN  # may land later or twice, and take what stands there then
    turn.note(pin, unknown_at=now() if lost else before)
    if not readable(turn):
        _take_its_word(turn, pin, outcome)
        return
    seen = yield from turn.read(handle)
    if compare(turn, pin, seen) == Found.EMPTY:
        yield from _finish(turn, pin)
    elif outcome.result == Result.REJECTED:
        _try_again(turn, pin, Pin.Trouble.REJECTED)
    elif outcome.result == Result.UNKNOWN:
        _try_again(turn, pin, Pin.Trouble.NO_ANSWER)
    else:
        turn.note(pin, unknown_at=now())
        _try_again(turn, pin, Pin.Trouble.NOT_STORED)
    turn.pause_after(outcome)


def _take_its_word(turn: Turn, pin: Pin, outcome: Outcome) -> None:
    """A lock that cannot be read: nothing better will ever be known."""
    if outcome.result in (Result.CONFIRMED, Result.ACCEPTED):
        missing(turn, pin)
    else:
        _try_again(turn, pin, Pin.Trouble.REJECTED if outcome.result == Result.REJECTED else Pin.Trouble.NO_ANSWER)


def _finish(turn: Turn, pin: Pin) -> Steps[None]:
    """Its place is empty. On a lock that can be listed, make sure that no copy stands elsewhere."""
    if turn.caps.listable and readable(turn):
        listed = others_aside(turn, pin, (yield from list_codes(turn)))
        if place_by_content(turn, pin, listed):
            yield from _take_copy_off(turn, pin, listed)
            return
        if handle_of(pin) is None and hidden_among(listed):
            _try_again(turn, pin, Pin.Trouble.UNSUPPORTED)  # its id was lost, and it may be any of those
            return
    missing(turn, pin)
    if not pin.maybe_on_lock:
        make_room_known(turn)


def _take_copy_off(turn: Turn, pin: Pin, listed: list[Observation]) -> Steps[None]:
    """It stands somewhere else as well. The next look, soon, says whether it is gone."""
    place = place_by_content(turn, pin, listed)
    copy = next(seen for seen in listed if place_of(seen.handle) == place)
    tries = pin.attempts + 1 if pin.status == Pin.Status.REMOVING else 1
    turn.intend(pin, status=Pin.Status.REMOVING, attempts=tries)
    outcome = yield from turn.write("remove", copy.handle)
    if outcome.result == Result.UNREACHABLE:
        raise Silence(Pin.Trouble.OFFLINE)
    if outcome.result == Result.CONFIRMED and tries < 3:
        turn.note(pin, next_attempt_at=now())
    else:
        _try_again(turn, pin, Pin.Trouble.NOT_STORED)


def make_room_known(turn: Turn) -> None:
    """A place became free, and its digits: PINs that wait for either may try at once."""
    waiting = Pin.objects.filter(
        device=turn.device,
        status__in=[Pin.Status.PLANNED, Pin.Status.GONE],
        trouble__in=[Pin.Trouble.FULL, Pin.Trouble.DUPLICATE],
        next_attempt_at__isnull=False,
    )
    for pin in waiting:
        turn.note(pin, next_attempt_at=None)


def _try_again(turn: Turn, pin: Pin, trouble: Pin.Trouble) -> None:
    turn.note(pin, trouble=trouble, next_attempt_at=now() + retry(pin.attempts))
    turn.went_wrong(trouble)
