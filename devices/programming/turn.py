"""One lock's turn: what it holds, how it asks the lock, and how it writes down what was seen."""

import logging
from collections.abc import Callable, Generator
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from django.db import connection, transaction
from django.db.models import F, UUIDField

from devices.activity import record
from devices.lease import CALL_SLACK, LONGEST_CALL, Lease, in_one_statement
from devices.models import Device, Event, Hub, Pin
from devices.providers.base import (
    Capabilities,
    Handle,
    HubUnreachable,
    NoAnswer,
    Observation,
    Outcome,
    Result,
    Seen,
    Unreachable,
)
from portal.clock import now
from portal.prepared import Given, Prepared

logger = logging.getLogger(__name__)

READ_DEADLINE = 10.0  # seconds
WRITE_DEADLINE = float(LONGEST_CALL)
TURN_LASTS = timedelta(seconds=60)
LOCK = Prepared(lambda: Device.objects.select_related("hub", "property__workspace").filter(pk=Given("pk", UUIDField())))
IN_HAND = Prepared(
    lambda: (
        Pin.objects.filter(device=Given("device", UUIDField())).in_hand().annotate(lock_version=F("device__version"))
    )
)
DOWN = Prepared(
    lambda: Hub.objects.filter(pk=Given("hub", UUIDField()), down_since__isnull=False).values_list("pk", flat=True)
)


@dataclass(frozen=True, slots=True)
class Call:
    """One provider call that the runner is to make: `operation(lock_ref, *arguments, deadline=...)`.

    The lease was extended for it when it was asked for, so it is to be made at once or not at all.
    """

    hub: Hub
    operation: str
    lock_ref: str
    arguments: tuple[Any, ...]
    deadline: float
    asked_at: float = field(default_factory=monotonic, compare=False)
    pressing: bool = field(default=False, compare=False)  # a guest may need a backup by what it answers

    @property
    def refused(self) -> bool:
        """The lock refused a guest's own PIN, and is asked on before a backup is given."""
        return self.pressing and self.operation != "put"

    @property
    def waits(self) -> tuple[bool, bool, float]:
        """The least is taken further first."""
        return not self.refused, not self.pressing, self.asked_at


type Steps[T] = Generator[Call, Any, T]


class Silence(Exception):
    """The lock, or its whole hub, did not answer: this turn ends here."""

    def __init__(self, trouble: Pin.Trouble = Pin.Trouble.NO_ANSWER, *, hub: bool = False) -> None:
        self.trouble = trouble
        self.hub = hub


class ProviderFailed(Exception):
    """A provider raised what it should not have. Carries the error's class name alone: its text may hold a PIN."""


class TurnOver(Exception):
    """The turn's time is up; what is left is for the next one."""


class Turn:
    """What one turn knows. All rows it writes, it writes as the holder of the lease.

    `seen` is told of each PIN whose status changed, in the transaction that changed it.
    """

    def __init__(self, lease: Lease, seen: Callable[[Pin], None]) -> None:
        self.lease = lease
        self.device = lease.device
        self.ends_at = now() + TURN_LASTS
        self.strangers: set[str] = {str(place) for place in self.device.unmanaged}
        self.answered_at: datetime | None = None
        self.hub_answers = False  # heard of in this turn
        self.troubled = False  # a call of this turn went wrong
        self.pressing = False  # a guest may need a backup by what the lock answers now
        self.known: list[Pin] = []  # the lock's PINs that are wanted or may be on it, as last read
        self.dropped: list[Pin] = []  # those that were planned and are not wanted any more, as last read
        self._version = self.device.version  # as last seen
        self._read_at_version: int | None = None  # when its PINs were read; None: to be read afresh
        self._held_until = lease.lasts_until  # by this process's clock: no earlier does the lease end
        self._held_for_next: float | None = None  # when it was extended for the call that comes next
        self._hub_down: bool | None = None  # when a PIN was written since the lock was last asked; None: none was
        self._owed: dict[int, dict[str, Any]] = {}  # by PIN: known, and written with the next note
        self._seen = seen

    @property
    def caps(self) -> Capabilities:
        caps = self.device.caps
        assert caps is not None  # noqa: S101  program() discovers them first
        return caps

    def pins(self) -> list[Pin]:
        """The lock's PINs that are wanted or may be on it; read afresh if something else is wanted by now."""
        if self._read_at_version != self._version:
            found = IN_HAND(device=self.device.pk)
            if found:
                self._version = found[0].lock_version  # type: ignore[attr-defined]  # all carry the same
            if self._version != self.device.version:
                self.device = self._device()
            wanted = {pin.pk for pin in found if pin.wanted != Pin.Wanted.ABSENT or pin.maybe_on_lock}
            self.known = [pin for pin in found if pin.pk in wanted]
            self.dropped = [pin for pin in found if pin.pk not in wanted]
            self._read_at_version = self._version
        return self.known

    def look_again(self) -> None:
        """What is known of the lock's PINs may not be all: they are read afresh the next time."""
        self._read_at_version = None

    def hub_is_down(self) -> bool:
        """Whether its hub counts as down: as heard with a PIN written since the lock was last asked, else now."""
        return self._hub_down if self._hub_down is not None else bool(DOWN(hub=self.device.hub_id))

    def _device(self) -> Device:
        (device,) = LOCK(pk=self.lease.device_id)
        return device

    # asking

    def ask(self, operation: str, *arguments: Any, deadline: float = READ_DEADLINE) -> Steps[Any]:
        """Have the provider called, with the lease held for as long. Raises TurnOver, LeaseLost, Silence."""
        if now() >= self.ends_at:
            raise TurnOver
        held_at = self._hold_for(operation, deadline)
        self._hub_down = None  # what was known of it is from before this answer
        try:
            hub, lock_ref = self.device.hub, self.device.lock_ref
            return (yield Call(hub, operation, lock_ref, arguments, deadline, held_at, pressing=self.pressing))
        except HubUnreachable as error:
            raise Silence(Pin.Trouble.OFFLINE, hub=True) from error
        except Unreachable as error:
            raise Silence(Pin.Trouble.OFFLINE) from error
        except (NoAnswer, TimeoutError) as error:
            raise Silence from error
        except ProviderFailed as error:
            logger.error("%s of lock %s failed: %s", operation, self.device.pk, error)
            raise Silence(Pin.Trouble.PROVIDER) from error

    def _hold_for(self, operation: str, deadline: float) -> float:
        """Hold the lease for a call; since when, by this process's clock. Raises LeaseLost.

        What changes nothing goes ahead on a lease that lasts for it; a write whose intent extended it, on that.
        """
        asked_at, intended_at = monotonic(), self._held_for_next
        self._held_for_next = None
        if intended_at is not None:
            return intended_at
        if operation != "read" or self._held_until < asked_at + deadline + CALL_SLACK:
            self.lease.extend(deadline)
            self._held_until = asked_at + deadline + CALL_SLACK
        return asked_at

    def write(self, operation: str, *arguments: Any) -> Steps[Outcome]:
        """A `put` or `remove`. Trouble on the way means that nobody knows, unless it surely was never sent."""
        try:
            outcome: Outcome = yield from self.ask(operation, *arguments, deadline=WRITE_DEADLINE)
        except Silence as silence:
            never_sent = silence.trouble == Pin.Trouble.OFFLINE
            return Outcome(Result.UNREACHABLE if never_sent else Result.UNKNOWN)
        return outcome

    def read(self, handle: Handle) -> Steps[Observation]:
        """What is at one place. Raises Silence when no answer came: that is never the same as empty."""
        found: Observation = yield from self.ask("read", handle)
        if found.seen == Seen.NO_ANSWER:
            raise Silence
        return found

    def pause_after(self, outcome: Outcome) -> None:
        """A write without an answer ends the turn, though the lock did answer when it was read: others come first."""
        if outcome.result == Result.UNKNOWN:
            raise TurnOver

    # writing down

    def note(self, pin: Pin, *, tell: bool = False, **values: Any) -> None:
        """Write what was seen of a PIN; tell `seen` if its status or window changed (or `tell`). Raises LeaseLost."""
        with transaction.atomic():
            changed = self._write(pin, values)
            if tell or changed:
                pin.device = self.device
                self._seen(pin)
        self._may_look_again(pin)

    def intend(self, pin: Pin, **values: Any) -> None:
        """Write down that a PIN is about to be written or removed, and hold the lease for that: `write()` comes next.

        Nobody is told of the intent to write a person's PIN before its outcome. Raises LeaseLost.
        """
        told = pin.priority != Pin.Priority.PERSON or values["status"] != Pin.Status.WRITING
        alone = not told and in_one_statement() and not connection.in_atomic_block
        asked_at = monotonic()
        with nullcontext() if alone else transaction.atomic():
            changed = self._write(pin, values, call=WRITE_DEADLINE)
            if told and changed:
                pin.device = self.device
                self._seen(pin)
        self._held_for_next, self._held_until = asked_at, asked_at + WRITE_DEADLINE + CALL_SLACK
        self._may_look_again(pin)

    def _write(self, pin: Pin, values: dict[str, Any], *, call: float | None = None) -> bool:
        """Whether its status or window changed by that. Services may want something else of it by now: it is read."""
        before = (pin.status, pin.seen_from, pin.seen_until)
        self.lease.write(pin, self._owed.pop(pin.pk, {}) | values, call=call)
        self._version, self._hub_down = pin.lock_version, bool(pin.hub_is_down)  # type: ignore[attr-defined]
        return before != (pin.status, pin.seen_from, pin.seen_until)

    def _may_look_again(self, pin: Pin) -> None:
        """Whoever was told may want something else now."""
        if not _as_planned(pin) or all(pin is not one for one in self.known):
            self.look_again()

    def owe(self, pin: Pin, **values: Any) -> None:
        """Know this of a PIN; it is written with what is seen next. Until then the safe side stands there."""
        self._owed.setdefault(pin.pk, {}).update(values)
        for name, value in values.items():
            setattr(pin, name, value)

    def record(self, type: Event.Type, **data: Any) -> None:
        """Write down what happened on this lock. Raises LeaseLost."""
        with transaction.atomic():
            self.lease.hold()
            record(self.device, type, **data)

    def note_lock(self, **values: Any) -> None:
        """Write what was seen of the lock itself. Raises LeaseLost."""
        with transaction.atomic():
            self.lease.hold()
            Device.objects.filter(pk=self.device.pk).update(**values)
        for name, value in values.items():
            setattr(self.device, name, value)
        self.device.__dict__.pop("caps", None)

    def went_wrong(self, trouble: Pin.Trouble) -> None:
        """Count a failing call; the first of a row says since when."""
        device, self.troubled = self.device, True
        same = device.trouble == trouble
        self.note_lock(
            trouble=trouble,
            trouble_count=device.trouble_count + 1 if same else 1,
            trouble_since=device.trouble_since if same and device.trouble_since else now(),
        )

    def went_well(self) -> None:
        """A write worked: whatever troubled the lock is over."""
        if self.device.trouble or self.device.failures:
            self.note_lock(trouble="", trouble_count=0, trouble_since=None, failures=0)

    def note_online(self, online: bool, at: datetime | None = None) -> None:
        """Write whether the lock answers; an event when that changed. Coming online calls for a full read."""
        value = Device.Online.YES if online else Device.Online.NO
        if self.device.online == value:
            return
        was_known = self.device.online != Device.Online.UNKNOWN
        self.note_lock(online=value, online_since=at or now(), **({"read_wanted": True} if online else {}))
        if was_known or not online:
            self.record(Event.Type.DEVICE_CONNECTED if online else Event.Type.DEVICE_DISCONNECTED)


def _as_planned(pin: Pin) -> bool:
    """Whoever is told of this wants nothing else of the lock. A spare that is ready may be a guest's by now."""
    return pin.status == Pin.Status.WRITING or (pin.priority == Pin.Priority.PERSON and pin.confirmed)
