"""The portal's belief held against a lock: read in full under its lease, and nothing written, here or there.

It sees with the same eyes as the full read of a turn, which mends what is listed here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from devices.lease import Lease
from devices.models import MAYBE_ON_LOCK, Pin
from devices.programming.full_read import former, ours
from devices.programming.look import (
    Found,
    compare,
    handle_of,
    hidden_among,
    list_codes,
    place_by_content,
    place_of,
    readable,
    window_on_lock,
)
from devices.programming.plan import must_leave, needs_write, over
from devices.programming.turn import Silence, Steps, Turn, TurnOver
from devices.providers.base import Observation
from portal.clock import now


class Kind(StrEnum):
    """How lock and portal differ about one code."""

    MISSING = "missing"  # the portal says set, the lock has nothing there
    DIFFERENT = "different"  # other digits stand in its place
    TIMES = "times"  # it opens at other times than wanted
    FORMER = "former"  # it should be off the lock, and may still open the door
    UNEXPECTED = "unexpected"  # it is on the lock, wanted, and the portal did not know
    STRANGER = "stranger"  # somebody else's, and the portal did not know of it
    WAITING = "waiting"  # still to be set: the portal knows, and is at it
    UNMANAGED = "unmanaged"  # somebody else's, and the portal knows


KNOWN = frozenset({Kind.WAITING, Kind.UNMANAGED})  # listed, yet no difference


@dataclass(frozen=True, slots=True)
class Difference:
    """One code. `mends`: the engine will put it right; else a person must, at the lock."""

    kind: Kind
    label: str
    place: str  # slot or code id; "" where nobody knows
    mends: bool = True
    why: str = ""

    @property
    def counts(self) -> bool:
        return self.kind not in KNOWN


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of holding one lock against the portal. `trouble`: why it could not be read; "" if it was."""

    differences: Sequence[Difference] = ()
    trouble: str = ""
    readable: bool = True  # False: this make shows nothing, so nobody can know


def differences(lease: Lease, tell: Callable[[Comparison], None]) -> Steps[None]:
    """Compare one lock, and hand its lease back with nothing changed. Raises LeaseLost."""
    turn = Turn(lease, seen=lambda pin: None)
    due = turn.device.next_sync_at or now()
    try:
        tell((yield from _compared(turn)))
    except (Silence, TurnOver) as ended_by:
        trouble = ended_by.trouble if isinstance(ended_by, Silence) else Pin.Trouble.NO_ANSWER
        tell(Comparison(trouble=str(Pin.Trouble(trouble).label)))
    lease.release(due)


def _compared(turn: Turn) -> Steps[Comparison]:
    if turn.device.caps is None:
        return Comparison(trouble="it was never reached: nobody knows yet what it can do")
    if not readable(turn):
        return Comparison(readable=False)
    listed = yield from list_codes(turn)
    found = {place_of(seen.handle): seen for seen in listed}
    at = now()
    return Comparison(
        [*_known(turn, found, at), *_former(turn, found, at), *_strangers(turn, found), *_waiting(turn, at)]
    )


def _known(turn: Turn, found: dict[str, Observation], at: datetime) -> list[Difference]:
    """PINs that may be on the lock; what each of them explains is taken out of `found`."""
    pins = Pin.objects.filter(device=turn.device, status__in=MAYBE_ON_LOCK).order_by("-priority", "pk")
    return [one for pin in pins if (one := _of_known(turn, pin, found, at))]


def _of_known(turn: Turn, pin: Pin, found: dict[str, Observation], at: datetime) -> Difference | None:
    place = place_of(handle_of(pin)) or place_by_content(turn, pin, found.values())
    seen = found.get(place)
    if seen and compare(turn, pin, seen) in (Found.MATCH, Found.MASKED):
        del found[place]
        return _of_present(turn, pin, seen, place, at)
    believed = pin.believed and not must_leave(pin, at)
    if not believed or (not place and hidden_among(found.values())):
        return None
    mends = pin.wanted == Pin.Wanted.PRESENT
    why = "" if mends else "was left there for a guest who may hold it, and is not written again"
    return Difference(Kind.DIFFERENT if seen else Kind.MISSING, pin.label, place, mends, why)


def _of_present(turn: Turn, pin: Pin, seen: Observation, place: str, at: datetime) -> Difference | None:
    if must_leave(pin, at):
        return Difference(Kind.FORMER, pin.label, place, why=str(Pin.Trouble(pin.trouble).label))
    if not pin.believed:
        return Difference(Kind.UNEXPECTED, pin.label, place)
    window = window_on_lock(turn, seen, pin.seen_window)
    if pin.wanted == Pin.Wanted.PRESENT and not window.covers(pin.window):
        return Difference(Kind.TIMES, pin.label, place)
    return None


def _former(turn: Turn, found: dict[str, Observation], at: datetime) -> list[Difference]:
    """Codes that were ours once: what came back or landed late, and what should not open the door any more."""
    told = []
    for place, seen in list(found.items()):
        pin = former(turn, place, seen)
        if pin is None:
            continue
        if pin.wanted != Pin.Wanted.ABSENT and not over(pin, at):
            if compare(turn, pin, seen) != Found.DIFFERENT:
                del found[place]
                told.append(Difference(Kind.UNEXPECTED, pin.label, place))
            continue
        del found[place]
        mends = ours(turn, pin, place, seen)
        why = "" if mends else "in a place where the portal never put it: take it off at the lock"
        told.append(Difference(Kind.FORMER, pin.label, place, mends, why))
    return told


def _strangers(turn: Turn, found: dict[str, Observation]) -> list[Difference]:
    kinds = {place: Kind.UNMANAGED if place in turn.strangers else Kind.STRANGER for place in found}
    return [Difference(kind, "", place) for place, kind in sorted(kinds.items(), key=lambda one: (len(one[0]), one[0]))]


def _waiting(turn: Turn, at: datetime) -> list[Difference]:
    """Wanted by now and not set: the portal says so itself."""
    pins = Pin.objects.filter(device=turn.device, status__in=[Pin.Status.PLANNED, Pin.Status.GONE]).order_by("pk")
    late = [pin for pin in pins if needs_write(pin, at)]
    return [Difference(Kind.WAITING, pin.label, "", why=str(Pin.Trouble(pin.trouble).label)) for pin in late]
