"""Who arrives within 72 hours, and whether their code works: what home shows, the worst first. Reads only.

One query answers for arrivals, one for removals that are overdue: `watch(workspace)`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from functools import cached_property
from uuid import UUID

from django.db.models import Q

from codes.at_risk import AHEAD, ARRIVING, soon
from codes.cover import NOT_THERE
from codes.models import AccessCode, CodePin
from devices import listing
from devices.models import MAYBE_ON_LOCK, Device, Pin
from portal.clock import now
from portal.models import Workspace

OVERDUE = timedelta(minutes=2)  # a removal that takes longer is said to be overdue


class Risk(IntEnum):
    """How an arrival stands, the worst first."""

    REPORTED = 0  # the guest says that the PIN does not work
    UNCOVERED = 1  # no PIN works, and no backup was ready
    MISSING = 2  # not on the lock yet, and something is in the way
    SETTING = 3  # on its way, nothing wrong so far
    COVERED = 4  # a backup opens the door
    LATER = 5  # goes to its lock nearer to check-in
    SENT = 6  # taken by a lock that cannot confirm
    READY = 7  # on the lock, as the lock itself said


@dataclass(frozen=True, slots=True)
class Arrival:
    """One stay and its PINs.

    `tries`: how often a PIN of its own was tried since the stay was last changed, other digits counted in.
    """

    code: AccessCode
    risk: Risk
    own: Pin | None
    backup: Pin | None
    tries: int
    seen: frozenset[int]  # the PINs that somebody saw, by id

    @property
    def device(self) -> Device:
        return self.code.device

    @property
    def zone(self) -> str:
        return listing.zone_of(self.device)

    @property
    def starts_at(self) -> datetime:
        return self.code.starts_at or now()

    @property
    def opens(self) -> Pin | None:
        """The PIN that opens the door now, as far as the lock tells."""
        return {Risk.COVERED: self.backup, Risk.READY: self.own, Risk.SENT: self.own}.get(self.risk)

    @property
    def confirmed_at(self) -> datetime | None:
        """When the PIN that opens the door was last read on the lock."""
        return self.opens.confirmed_at if self.opens is not None and self.opens.status == Pin.Status.SET else None

    @property
    def outdated(self) -> bool:
        """Somebody saw another PIN than the one that opens the door now, and nobody has seen this one yet."""
        return bool(self.seen) and self.opens is not None and self.opens.pk not in self.seen

    @property
    def works(self) -> bool:
        """The lock itself said that it opens the door for this guest."""
        return self.risk in (Risk.COVERED, Risk.READY) and self.confirmed_at is not None

    @property
    def at_risk(self) -> bool:
        return self.risk <= Risk.MISSING

    @property
    def soon(self) -> bool:
        """So near that a lock out of reach is warned of."""
        return now() < self.starts_at <= now() + ARRIVING

    @property
    def key(self) -> str:
        return f"arrival-{self.code.pk}"


@dataclass(frozen=True, slots=True)
class Removal:
    """Digits of somebody whose stay is over, which may still open the door."""

    code: AccessCode
    since: datetime
    trouble: str  # a Pin.Trouble

    @property
    def zone(self) -> str:
        return listing.zone_of(self.code.device)


@dataclass(frozen=True)
class Watch:
    """All arrivals of the next 72 hours, and running stays in trouble, the worst first; and overdue removals."""

    arrivals: Sequence[Arrival]
    removals: Sequence[Removal]

    @property
    def listed(self) -> list[Arrival]:
        """Those a person should see: all but the ones that simply work, or whose time has not come."""
        return [arrival for arrival in self.arrivals if arrival.risk <= Risk.COVERED or arrival.outdated]

    @property
    def risky(self) -> list[Arrival]:
        """Those whose guest has no PIN that works, or soon will not."""
        return [arrival for arrival in self.arrivals if arrival.at_risk]

    @property
    def well(self) -> bool:
        """Every arrival's code works, as its lock said."""
        return bool(self.arrivals) and all(arrival.works for arrival in self.arrivals)

    @property
    def working(self) -> list[Arrival]:
        return [arrival for arrival in self.arrivals if arrival.works]

    @property
    def oldest(self) -> Arrival | None:
        """Of the codes that work, the one confirmed longest ago."""
        return min(self.working, key=lambda arrival: arrival.confirmed_at or arrival.starts_at, default=None)

    @property
    def later(self) -> list[Arrival]:
        """Those whose PIN goes to the lock nearer to check-in, the first to go first."""
        waiting = [arrival for arrival in self.arrivals if arrival.risk == Risk.LATER]
        return sorted(waiting, key=lambda arrival: programmed_at(arrival) or arrival.starts_at)

    @property
    def sent(self) -> int:
        return sum(arrival.risk == Risk.SENT for arrival in self.arrivals)

    @property
    def pending(self) -> bool:
        return any(arrival.risk <= Risk.SETTING for arrival in self.arrivals)

    @cached_property
    def next_by_lock(self) -> dict[UUID, Arrival]:
        """Who arrives next at each lock, of those within 72 hours."""
        latest_first = sorted(self.arrivals, key=lambda arrival: (arrival.starts_at, arrival.code.name), reverse=True)
        return {arrival.code.device_id: arrival for arrival in latest_first}

    @cached_property
    def risky_by_lock(self) -> dict[UUID, list[Arrival]]:
        found: dict[UUID, list[Arrival]] = {}
        for arrival in self.risky:
            found.setdefault(arrival.code.device_id, []).append(arrival)
        return found

    def by_arrival(self, devices: Iterable[Device]) -> list[Device]:
        """Locks, that of the next arrival first; those where nobody arrives keep their order at the end."""
        never = now() + AHEAD
        return sorted(
            devices, key=lambda device: found.starts_at if (found := self.next_by_lock.get(device.pk)) else never
        )


def watch(workspace: Workspace) -> Watch:
    """What home shows of codes. Two queries, each by its own index."""
    at = now()
    over = Q(pin__wanted_until__lte=at - OVERDUE) | Q(pin__wanted=Pin.Wanted.ABSENT, ended_at__lte=at - OVERDUE)
    given = (
        CodePin.objects.select_related("pin__backup_code", "code__device__property", "code__device__hub")
        .defer("pin__secret", "code__guest_nonce")
        .order_by("pk")
    )
    late = given.filter(over, pin__status__in=MAYBE_ON_LOCK, pin__device__property__workspace=workspace)
    stays = _arrivals(given.filter(soon(workspace, at, "code__")), at)
    return Watch(
        [arrival for arrival in stays if arrival.starts_at > at or arrival.risk <= Risk.MISSING],
        _removals([one for one in late if _overdue(one, at)], at),
    )


def risk_of(code: AccessCode, own: Pin | None, backup: Pin | None, at: datetime) -> Risk:
    """How one stay stands, from the PINs it has now and what its guest says."""
    return Risk.REPORTED if code.reported_at is not None else risk_of_pins(code, own, backup, at)


def risk_of_pins(code: AccessCode, own: Pin | None, backup: Pin | None, at: datetime) -> Risk:
    """The same, whatever the guest says."""
    if backup is not None and backup.status not in NOT_THERE:
        return Risk.COVERED
    if code.uncovered_since is not None:
        return Risk.UNCOVERED
    if own is None or backup is not None:
        return Risk.MISSING
    if own.confirmed:
        return Risk.SENT if own.status == Pin.Status.SENT else Risk.READY
    if own.program_at is not None and own.program_at > at:
        return Risk.LATER
    given_up = own.give_up_at is not None and own.give_up_at <= at
    device = code.device
    troubled = own.trouble or given_up or device.failures or listing.unreachable(device)
    return Risk.MISSING if troubled else Risk.SETTING


def programmed_at(arrival: Arrival) -> datetime | None:
    return arrival.own.program_at if arrival.own else None


def _arrivals(given: Iterable[CodePin], at: datetime) -> list[Arrival]:
    stays: dict[UUID, list[CodePin]] = {}
    for one in given:
        stays.setdefault(one.code_id, []).append(one)
    arrivals = [_arrival(pins, at) for pins in stays.values()]
    return sorted(arrivals, key=_order)


def _order(arrival: Arrival) -> tuple[object, ...]:
    """What needs a person goes first."""
    return not arrival.at_risk, not arrival.outdated, arrival.risk, arrival.starts_at, arrival.code.name


def _arrival(given: list[CodePin], at: datetime) -> Arrival:
    code = given[0].code
    now_given = {one.role: one.pin for one in given if one.ended_at is None}
    own, backup = now_given.get(CodePin.Role.OWN), now_given.get(CodePin.Role.BACKUP)
    risk = risk_of(code, own, backup, at)
    own_pins = [one for one in given if one.role == CodePin.Role.OWN]
    tried = [one.pin.attempts for one in own_pins if one.ended_at is None or one.given_at >= code.changed_at]
    seen = {one.pin_id for one in given if one.revealed_at}
    return Arrival(code, risk, own, backup, sum(tried), frozenset(seen))


def _removals(late: Iterable[CodePin], at: datetime) -> list[Removal]:
    """One a guest: the longest overdue first."""
    removals: dict[UUID, Removal] = {}
    for given in sorted(late, key=lambda given: _over_since(given, at)):
        removals.setdefault(given.code_id, Removal(given.code, _over_since(given, at), given.pin.trouble))
    return list(removals.values())


def _overdue(given: CodePin, at: datetime) -> bool:
    return given.pin.maybe_on_lock and bool(_ends(given, at)) and _over_since(given, at) <= at - OVERDUE


def _over_since(given: CodePin, at: datetime) -> datetime:
    return min(_ends(given, at), default=at)


def _ends(given: CodePin, at: datetime) -> list[datetime]:
    """When its time was over: at checkout, when it was replaced, or when the code was cancelled."""
    ends = [given.pin.wanted_until]
    if given.pin.wanted == Pin.Wanted.ABSENT:
        ends.append(given.ended_at)
    return [end for end in ends if end is not None and end <= at]
