"""What a lock's page warns of besides its pool: offline while a guest arrives, or an old code on it. Reads only."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from codes.at_risk import ARRIVING
from codes.cover import given_to
from codes.listing import CodeList
from codes.models import AccessCode, CodePin
from codes.notice_findings import arrival_near_since
from codes.status import OVERDUE
from codes.taken_on import Mark, Marks
from devices import listing
from devices.models import Device, Pin
from portal.clock import now


@dataclass(frozen=True, slots=True)
class LockTroubles:
    """`arrival`: who arrives within 24 hours while the lock is out of reach. `left`: whose code may still open it.

    Each with who is on it, if anybody is.
    """

    arrival: AccessCode | None = None
    arrival_mark: Mark | None = None
    left: Sequence[str] = ()
    left_mark: Mark | None = None


def lock_troubles(device: Device, codes: CodeList, taken: Callable[[], Marks]) -> LockTroubles:
    """No query; `taken` is asked only if there is a trouble."""
    at = now()
    arrival = _next_arrival(codes.codes, at) if listing.unreachable(device) else None
    late = [(code, since) for code in codes.codes for given in given_to(code) if (since := _overdue(given, at))]
    near_since = arrival_near_since(arrival) if arrival else None
    return LockTroubles(
        arrival=arrival,
        arrival_mark=taken().of_outage(device, arrival_near_since=near_since) if arrival else None,
        left=sorted({code.name for code, _since in late}),
        left_mark=taken().of_overdue(device, max(since for _code, since in late) + OVERDUE) if late else None,
    )


def _next_arrival(codes: Sequence[AccessCode], at: datetime) -> AccessCode | None:
    soon = [
        (code.starts_at, code)
        for code in codes
        if code.ended_at is None and code.starts_at is not None and at < code.starts_at <= at + ARRIVING
    ]
    return min(soon, key=lambda one: one[0])[1] if soon else None


def _overdue(given: CodePin, at: datetime) -> datetime | None:
    """When it should have left the lock, if it is overdue."""
    pin = given.pin
    since = given.ended_at if pin.wanted == Pin.Wanted.ABSENT else pin.wanted_until
    return since if pin.maybe_on_lock and since is not None and since <= at - OVERDUE else None
