"""How a lock is talked to: the words every provider speaks. Holds data and the protocol, does nothing.

A provider only talks: it keeps no rows, retries nothing and never claims more than it was told. All PINs travel
as `Secret`. A call blocks its thread for `deadline` seconds at most, by real socket time-outs.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from portal.secret import Secret


class Unreachable(Exception):
    """The hub or lock could not be asked at all: nothing was sent. The text says why, for a manager to read."""


class HubUnreachable(Unreachable):
    """The hub itself is out of reach, and with it every lock behind it."""


class NoAnswer(Exception):
    """Asked, but no answer came. Says nothing about what is on the lock."""


class Addressing(StrEnum):
    SLOT = "slot"  # the portal picks a numbered place before the call
    CODE_ID = "code_id"  # the lock's system returns an id after it


class ReadBack(StrEnum):
    FULL = "full"  # gives digits
    MASKED = "masked"  # gives presence as asterisks
    PRESENCE = "presence"  # gives presence only
    NONE = "none"  # cannot be read: shows "sent, this lock cannot confirm"


@dataclass(frozen=True, slots=True)
class PinRules:
    """A make's rules as data. `lengths` are allowed digits counts, the preferred one first."""

    lengths: tuple[int, ...] = (4, 5, 6, 7, 8)
    one_length: bool = False  # all codes on a lock are of one length (Schlage Z-Wave)
    forbidden_digits: str = ""  # "0" (Nuki)
    forbidden_starts: tuple[str, ...] = ()  # ("12",) (Nuki)
    unique_first: int = 0  # the first N digits differ from every other code's (Kwikset SmartCode 955: 4)
    paired_buttons: bool = False  # two digits share a button, so 1357 is 2468 (Kwikset)
    least_different: int = 0  # at least this many different digits
    no_runs_of_three: bool = False  # no three consecutive digits, up or down


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a lock can do, as discovered. None where the provider could not find out."""

    addressing: Addressing = Addressing.SLOT
    slots: int | None = None
    first_slot: int = 1
    pins: PinRules = field(default_factory=PinRules)
    label_length: int = 0  # longest label the lock stores, 0: it stores none
    native_schedules: bool = False  # the lock itself opens a code's window and closes it
    schedule_clock: str = "utc"  # "utc" or "local": the clock native schedules are kept in
    read_back: ReadBack = ReadBack.FULL
    listable: bool = False  # one call lists all codes with id or slot and label (a cloud); else slot by slot
    max_late: float = 0  # seconds for which a write that ended unknown may still land
    backup_pool: bool | None = None  # spares may be kept on this lock; None: not found out yet

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Capabilities":
        pins: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in data["pins"].items()}
        return cls(
            **{
                **data,
                "addressing": Addressing(data["addressing"]),
                "read_back": ReadBack(data["read_back"]),
                "pins": PinRules(**pins),
            }
        )


@dataclass(frozen=True, slots=True)
class Slot:
    """A numbered place on the lock, chosen by the portal before the call."""

    number: int


@dataclass(frozen=True, slots=True)
class CodeId:
    """A code's id in the lock's system. Empty in a `put` that creates; the outcome then brings it."""

    value: str = ""


type Handle = Slot | CodeId


class Window(NamedTuple):
    """When a code opens the door, aware UTC; None is open-ended."""

    starts_at: datetime | None = None
    ends_at: datetime | None = None

    def covers(self, other: "Window") -> bool:
        return covers(*self, *other)


def covers(
    starts_at: datetime | None, ends_at: datetime | None, begins_at: datetime | None, leaves_at: datetime | None
) -> bool:
    """Whether the first window, from `starts_at` to `ends_at`, opens for all of the second: for lists of many."""
    starts = starts_at is None or (begins_at is not None and starts_at <= begins_at)
    return starts and (ends_at is None or (leaves_at is not None and ends_at >= leaves_at))


ALWAYS = Window()


class Result(StrEnum):
    CONFIRMED = "confirmed"  # the lock's system says it is done
    ACCEPTED = "accepted"  # queued there: read it later
    REJECTED = "rejected"  # refused, see `reason`; nothing was written
    UNREACHABLE = "unreachable"  # never sent
    UNKNOWN = "unknown"  # sent, and no one knows: time-out, dropped reply, cancelled


class Reason(StrEnum):
    DUPLICATE = "duplicate"  # these digits are on the lock already
    FULL = "full"  # no space left
    INVALID = "invalid"  # the digits break the lock's rules
    UNSUPPORTED = "unsupported"  # this lock cannot do that
    UNSPECIFIED = "unspecified"  # refused without a reason


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a `put` or `remove` ended in. Never a bool."""

    result: Result
    reason: Reason | None = None
    code_id: str = ""  # after a `put` on a lock addressed by code id
    detail: str = ""  # the provider's own words, without a PIN


class Seen(StrEnum):
    EMPTY = "empty"
    CODE = "code"  # with its digits in `pin`
    MASKED = "masked"  # something is there, its digits hidden
    NO_ANSWER = "no_answer"  # never the same as empty


@dataclass(frozen=True, slots=True)
class Observation:
    """What a read found. `window` is None where the lock keeps no schedules or does not tell."""

    seen: Seen
    handle: Handle | None = None
    pin: Secret | None = None
    label: str = ""
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """A lock's state of health. Battery in percent, None: unknown."""

    online: bool
    battery: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class LockInfo:
    """A lock found on a hub."""

    lock_ref: str
    name: str
    make: str
    model: str
    capabilities: Capabilities | None = None
    battery: int | None = None


class LockProvider(Protocol):
    """One hub's locks. Safe to call from several threads at once; `deadline` is in seconds.

    `discover`, `capabilities`, `health` and `read_all` raise Unreachable (HubUnreachable) or NoAnswer; `read`, `put`
    and `remove` say it in what they return. `read_all` gives occupied places only, and raises unless every place
    answered.
    """

    def discover(self, *, deadline: float) -> Sequence[LockInfo]: ...
    def capabilities(self, lock_ref: str, *, deadline: float) -> Capabilities: ...
    def health(self, lock_ref: str, *, deadline: float) -> Health: ...
    def read_all(self, lock_ref: str, *, deadline: float) -> Sequence[Observation]: ...
    def read(self, lock_ref: str, handle: Handle, *, deadline: float) -> Observation: ...
    def put(
        self, lock_ref: str, handle: Handle, pin: Secret, label: str, window: Window, *, deadline: float
    ) -> Outcome: ...
    def remove(self, lock_ref: str, handle: Handle, *, deadline: float) -> Outcome: ...
