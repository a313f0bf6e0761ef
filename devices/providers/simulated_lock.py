"""What a simulated lock does with a message: its mind, working on its row. Saves nothing, waits for nothing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict

from devices.models import SimulatedLock
from devices.pin_rules import canonical, pressed, problem
from devices.providers.base import (
    ALWAYS,
    Addressing,
    Capabilities,
    CodeId,
    Handle,
    Observation,
    Outcome,
    ReadBack,
    Reason,
    Result,
    Seen,
    Slot,
    Window,
)
from portal.secret import Secret

Fault = SimulatedLock.Fault
Stored = TypedDict("Stored", {"pin": str, "label": str, "from": str | None, "until": str | None})
NEVER_APPLIED = frozenset({Fault.UNREACHABLE, Fault.MUTE, Fault.REJECT_SET, Fault.IGNORE_SET})


@dataclass(frozen=True, slots=True)
class Content:
    """A code that is truly on the lock."""

    place: str
    pin: Secret
    label: str
    window: Window


@dataclass(frozen=True, slots=True)
class Write:
    """A message that changes the lock: `code` goes to `place`, None empties it. `creates`: the id is new."""

    place: str
    code: Stored | None
    creates: bool = False


def capabilities_of(lock: SimulatedLock) -> Capabilities:
    return Capabilities.from_json(lock.capabilities)


def speaks(caps: Capabilities, handle: Handle) -> bool:
    """Whether the lock knows places of this kind."""
    return isinstance(handle, Slot) == (caps.addressing is Addressing.SLOT)


def place_of(handle: Handle) -> str:
    """The place's key in `codes`."""
    return str(handle.number) if isinstance(handle, Slot) else handle.value


def write_to(lock: SimulatedLock, handle: Handle, code: Stored | None) -> Write:
    """The message for this place. A code without an id gets the lock's next one."""
    place = place_of(handle)
    if place or code is None:
        return Write(place, code)
    lock.next_code_id += 1
    return Write(f"code-{lock.next_code_id - 1}", code, creates=True)


def stored(caps: Capabilities, pin: Secret, label: str, window: Window) -> Stored:
    """What this lock keeps of a code: a shortened label or none, a window if it has schedules."""
    kept = window if caps.native_schedules else ALWAYS
    return {
        "pin": pin.seal(),
        "label": label[: caps.label_length],
        "from": kept.starts_at.isoformat() if kept.starts_at else None,
        "until": kept.ends_at.isoformat() if kept.ends_at else None,
    }


def obey(lock: SimulatedLock, write: Write) -> Outcome:
    """Do what the message says, as far as the lock and its fault allow, and answer."""
    match Fault(lock.fault):
        case Fault.MUTE:
            return Outcome(Result.UNKNOWN)
        case Fault.REJECT_SET:
            return Outcome(Result.REJECTED, Reason.UNSPECIFIED)
        case Fault.IGNORE_SET:
            return _done(lock, write)
    reason = refusal(lock, write)
    if reason is None:
        _apply(lock, write)
    if lock.fault == Fault.APPLY_THEN_SILENT:
        return Outcome(Result.UNKNOWN)
    return Outcome(Result.REJECTED, reason) if reason else _done(lock, write)


def refusal(lock: SimulatedLock, write: Write) -> Reason | None:
    """Why the lock refuses this message; None if it takes it."""
    caps, code = capabilities_of(lock), write.code
    if not _exists(caps, write.place):
        return Reason.INVALID
    if code is None:
        return None
    others = {place: kept for place, kept in lock.codes.items() if place != write.place}
    if write.place not in lock.codes:
        if caps.addressing is Addressing.CODE_ID and not write.creates:
            return Reason.UNSPECIFIED  # deleted meanwhile
        if lock.fault == Fault.FULL or (caps.slots is not None and len(others) >= caps.slots):
            return Reason.FULL
    return _refused_digits(caps, _digits(code), [_digits(kept) for kept in others.values()])


def queue(lock: SimulatedLock, write: Write, at: datetime, call: str) -> None:
    """Let the message land at that time, if it is one that lands at all."""
    if lock.fault not in NEVER_APPLIED and refusal(lock, write) is None:
        entry = {"at": at.isoformat(), "place": write.place, "code": write.code, "call": call}
        lock.pending = [*lock.pending, entry]


def recall(lock: SimulatedLock, call: str) -> bool:
    """Take back a call's message from those that will land: its caller lives and finishes it. False: it has landed."""
    left = [late for late in lock.pending if late.get("call") != call]
    waited = len(left) < len(lock.pending)
    lock.pending = left
    return waited


def landed(lock: SimulatedLock, write: Write) -> Outcome:
    """The answer to a message that landed while its caller was stopped, by what stands there now. Nothing moves."""
    there = lock.codes.get(write.place) == write.code
    return _done(lock, write) if there else Outcome(Result.UNKNOWN)


def lands_by(lock: SimulatedLock, now: datetime) -> list[dict[str, Any]]:
    """The messages whose time to land has come."""
    return [late for late in lock.pending if datetime.fromisoformat(late["at"]) <= now]


def land(lock: SimulatedLock, now: datetime) -> None:
    """Let those messages land whose time has come, unless the lock would refuse them by now."""
    due = lands_by(lock, now)
    lock.pending = [late for late in lock.pending if late not in due]
    for late in sorted(due, key=lambda late: datetime.fromisoformat(late["at"])):
        write = Write(late["place"], late["code"], creates=True)
        if refusal(lock, write) is None:
            _apply(lock, write)


def observe(lock: SimulatedLock, handle: Handle) -> Observation:
    """What the lock shows of a place."""
    caps = capabilities_of(lock)
    place = place_of(handle)
    if caps.read_back is ReadBack.NONE or not speaks(caps, handle) or not _exists(caps, place):
        return Observation(Seen.NO_ANSWER, handle)
    if place not in lock.codes:
        return Observation(Seen.EMPTY, handle)
    return _shown(lock, caps, handle, _content(place, lock.codes[place]))


def observe_all(lock: SimulatedLock) -> list[Observation]:
    """What the lock shows of each occupied place."""
    by_slot = capabilities_of(lock).addressing is Addressing.SLOT
    return [observe(lock, Slot(int(place)) if by_slot else CodeId(place)) for place in _places(lock)]


def contents(lock: SimulatedLock) -> list[Content]:
    """What is truly on the lock."""
    return [_content(place, lock.codes[place]) for place in _places(lock)]


def lets_in(lock: SimulatedLock, digits: str, at: datetime) -> bool:
    """Whether these digits open the door at that time."""
    rules = capabilities_of(lock).pins
    buttons = pressed(rules, digits)
    return any(pressed(rules, _digits(code)) == buttons and _open_at(_window(code), at) for code in lock.codes.values())


def _places(lock: SimulatedLock) -> list[str]:
    return sorted(lock.codes, key=lambda place: (len(place), place))


def _content(place: str, code: Stored) -> Content:
    return Content(place, Secret.sealed(code["pin"]), code["label"], _window(code))


def _exists(caps: Capabilities, place: str) -> bool:
    if caps.addressing is Addressing.CODE_ID:
        return True
    last = float("inf") if caps.slots is None else caps.first_slot + caps.slots - 1
    return caps.first_slot <= int(place) <= last


def _refused_digits(caps: Capabilities, digits: str, others: list[str]) -> Reason | None:
    length = len(others[0]) if others else None
    if problem(caps.pins, digits, length=length):
        return Reason.INVALID
    if canonical(caps.pins, digits) in [canonical(caps.pins, other) for other in others]:
        return Reason.DUPLICATE
    return None


def _apply(lock: SimulatedLock, write: Write) -> None:
    codes = {place: code for place, code in lock.codes.items() if place != write.place}
    lock.codes = codes if write.code is None else {**codes, write.place: write.code}


def _done(lock: SimulatedLock, write: Write) -> Outcome:
    caps = capabilities_of(lock)
    result = Result.ACCEPTED if caps.read_back is ReadBack.NONE else Result.CONFIRMED
    by_id = caps.addressing is Addressing.CODE_ID and write.code is not None
    return Outcome(result, code_id=write.place if by_id else "")


def _shown(lock: SimulatedLock, caps: Capabilities, handle: Handle, true: Content) -> Observation:
    if caps.read_back is ReadBack.PRESENCE:
        return Observation(Seen.MASKED, handle)
    window = true.window if caps.native_schedules else None
    if caps.read_back is ReadBack.MASKED or lock.fault == Fault.MASK_CODES:
        return Observation(Seen.MASKED, handle, label=true.label, window=window)
    return Observation(Seen.CODE, handle, true.pin, true.label, window)


def _digits(code: Stored) -> str:
    return Secret.sealed(code["pin"]).reveal()


def _window(code: Stored) -> Window:
    starts, ends = (datetime.fromisoformat(text) if text else None for text in (code["from"], code["until"]))
    return Window(starts, ends)


def _open_at(window: Window, at: datetime) -> bool:
    begun = window.starts_at is None or window.starts_at <= at
    return begun and (window.ends_at is None or at < window.ends_at)
