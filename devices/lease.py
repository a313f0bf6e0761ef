"""The lease: exactly one worker at a time speaks to a lock and writes what was seen there.

A column, not an advisory lock, so that both databases know it; its times are the database's own. A lease or queue
mark further ahead than its maximum counts as expired, for clocks step back.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from time import monotonic
from typing import Any

from django.db import connection, connections, models, transaction
from django.db.models import (
    Case,
    Count,
    DateTimeField,
    DurationField,
    F,
    IntegerField,
    Q,
    QuerySet,
    Subquery,
    UUIDField,
    When,
)
from django.db.models.functions import Coalesce, Now
from django.db.models.lookups import LessThan

from devices.models import Device, Hub, Pin
from portal.clock import now
from portal.database import as_id, connected
from portal.prepared import Given, Prepared, PreparedUpdate, columns_of, read_into

CALL_SLACK = 10  # seconds a lease outlives the deadline of the call it was extended for
LONGEST_CALL = 20  # seconds, the longest deadline of a provider call
MAX_LEASE = timedelta(seconds=LONGEST_CALL + CALL_SLACK)
WITH_A_PIN = ("lock_version", "hub_is_down")  # what a write to a PIN tells besides
SEVERAL = 4  # due locks that one claim takes together where there is room for them
MAX_QUEUE_MARK = timedelta(seconds=30)


class LeaseLost(Exception):
    """Somebody else has this lock's turn now: stop, write nothing."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to one turn of a lock. `version` is what was wanted of the lock when it began.

    `device`: as it was then, with its hub, property and workspace. `lasts_until`: by this process's clock, it ends no
    earlier if it is not extended.
    """

    device: Device = field(compare=False, repr=False)
    token: uuid.UUID
    version: int
    lasts_until: float = field(default=0.0, compare=False)

    @property
    def device_id(self) -> uuid.UUID:
        return self.device.pk

    def extend(self, seconds: float) -> None:
        """Hold the lock for a call of this many seconds and a little more. Raises LeaseLost."""
        if not EXTEND(**self._by(), lasts=_lasts(seconds)):
            raise LeaseLost

    def release(self, next_sync_at: datetime | None, *, seen_at: datetime | None = None) -> None:
        """Give the lock back, due again at that moment, or at once if something new was wanted meanwhile.

        `seen_at`: when it answered; None: it did not.
        """
        RELEASE(**self._by(), version=self.version, due=next_sync_at, at=now(), seen_at=seen_at)

    def hold(self) -> Device:
        """The lock's row, locked for this transaction. Raises LeaseLost."""
        device = self._mine().select_for_update().first()
        if device is None:
            raise LeaseLost
        return device

    def write(self, pin: Pin, values: Mapping[str, Any], *, call: float | None = None) -> None:
        """Write this of a PIN, which is then as it stands in the database; its lock's row is locked in a transaction.

        `call`: extend the lease as well, for a call of so many seconds. What the lock's version is then, and whether
        its hub is down, stands in the PIN's `lock_version` and `hub_is_down`. Raises LeaseLost, with nothing written.
        """
        if call is not None and not in_one_statement():
            self.extend(call)
            call = None
        database = connected()
        fields = [_column(name) for name in values]
        written = [one.get_db_prep_save(value, database) for one, value in zip(fields, values.values(), strict=True)]
        until = [] if call is None else [_lasts(call)]
        mine = [as_id(self.device_id), as_id(self.token)]
        statement = _write_of_mine(database.alias, tuple(one.column for one in fields), extends=call is not None)
        if not read_into(pin, statement, [*until, *mine, *written, pin.pk], also=WITH_A_PIN):
            raise LeaseLost

    def _mine(self) -> QuerySet[Device]:
        return Device.objects.filter(**self._by())

    def _by(self) -> dict[str, uuid.UUID]:
        return {"pk": self.device_id, "lease_token": self.token}


def in_one_statement() -> bool:
    """Whether the database extends a lease and writes to a PIN in one statement."""
    return connection.vendor == "postgresql"


@cache
def _column(name: str) -> "models.Field[Any, Any]":
    return next(one for one in Pin._meta.concrete_fields if one.name == name)


@cache
def _write_of_mine(alias: str, columns: tuple[str, ...], *, extends: bool) -> str:
    """Hold or extend the lease of a lock, write these columns of a PIN of it, give the PIN and `WITH_A_PIN`.

    As text: it is asked twice a PIN, and to compile it would take longer than to do it.
    """
    device, pin, one = Device._meta.db_table, Pin._meta.db_table, connections[alias].vendor == "postgresql"
    mine = f"{device} WHERE id = %s AND lease_token = %s"
    down = f"(SELECT down_since IS NOT NULL FROM {Hub._meta.db_table} WHERE id = {device}.hub_id)"  # noqa: S608  names of ours
    held = f"SELECT id, version, {down} AS down FROM {mine} {'FOR UPDATE' if one else ''}"  # noqa: S608  names of ours
    if extends:
        until = "SET syncing_until = STATEMENT_TIMESTAMP() + %s WHERE"
        held = f"UPDATE {mine.replace('WHERE', until)} RETURNING id, version, {down} AS down"
    told = "held.version, held.down"
    if not one:
        told = ", ".join(f"(SELECT {what} FROM {device} WHERE id = device_id)" for what in ("version", down))  # noqa: S608  names of ours
    return f"""
        WITH held AS ({held})
        UPDATE {pin} SET {", ".join(f"{column} = %s" for column in columns)}
        FROM held WHERE {pin}.id = %s AND {pin}.device_id = held.id
        RETURNING {columns_of(Pin)}, {told}"""  # noqa: S608  names of ours


def _lasts(call: float) -> timedelta:
    return timedelta(seconds=min(call, LONGEST_CALL) + CALL_SLACK)


def take(device_id: uuid.UUID | str) -> Lease | None:
    """The lease of this lock, clearing its queue mark; None when it is held, removed or its hub is busy or down."""
    UNMARK(pk=device_id)
    return _only(CLAIM(pk=device_id))


def take_wanted(device_id: uuid.UUID | str) -> Lease | None:
    """As `take`, for a task: None as well when the lock is not due any more, for somebody gave it its turn."""
    UNMARK(pk=device_id)
    return _only(CLAIM_WANTED(pk=device_id))


def waits(device_id: uuid.UUID | str) -> bool:
    """Whether this lock is due and nobody holds it."""
    due = Device.objects.filter(free(), pk=device_id, next_sync_at__lte=now())
    return due.exclude(removal=Device.Removal.REMOVED).exists()


def take_due(most: int = 1) -> list[Lease]:
    """The leases of those locks that have been due longest and may be spoken to, `most` of them or fewer."""
    return CLAIM_SEVERAL() if most >= SEVERAL else CLAIM_DUE()


def take_asked_for() -> Lease | None:
    """The lease of a lock that somebody asked for just now; None when there is none.

    Its task is on its way, behind what others of its kind still have in hand: whoever is free takes it before locks
    that are only due, so that a guest at the door does not wait for a thousand locks that are being programmed.
    """
    return _only(CLAIM_ASKED_FOR())


def unqueued() -> Q:
    """Locks for which no task is on its way."""
    return Q(queued_until=None) | Q(queued_until__lte=Now()) | Q(queued_until__gt=Now() + MAX_QUEUE_MARK)


def free() -> Q:
    """Locks that nobody holds."""
    return Q(syncing_until=None) | Q(syncing_until__lte=Now()) | Q(syncing_until__gt=Now() + MAX_LEASE)


def speakable(at: datetime | Given | None = None) -> Q:
    """Locks whose hub is up, or down and due for its one probe."""
    return Q(hub__probe_at=None) | Q(hub__probe_at__lte=at or now())


class _Claim:
    """Takes the leases of those of some locks, a few at most, which have been due longest, if their hub is not busy."""

    def __init__(self, among: Callable[[], QuerySet[Device]], most: int = 1) -> None:
        self._longest = Prepared(lambda: _longest_due(among())[:most])
        self._behind_a_free_hub = Prepared(lambda: _longest_due(among().exclude(hub__in=_busy_hubs()))[:most])

    def __call__(self, **given: Any) -> list[Lease]:
        for again in range(4):  # their hub may be busy: then those whose hub is not, as far as can be seen
            find = self._behind_a_free_hub if again else self._longest
            with transaction.atomic():
                found = find(at=now(), **given)
                if not found:
                    return []
                if leases := _leases(found):
                    return leases
        return []


def _longest_due(among: QuerySet[Device]) -> QuerySet[Device]:
    open_ = among.filter(free(), speakable(AT)).exclude(removal=Device.Removal.REMOVED).order_by("next_sync_at")
    rows = open_.select_for_update(skip_locked=_can_skip(), of=("self",))
    return rows.select_related("hub", "property__workspace")


def _leases(found: list[Device]) -> list[Lease]:
    """One claim a hub at a time: its limit holds. Hubs are held in one order, so that no two claims wait in a ring."""
    by_hub: dict[uuid.UUID, list[Device]] = {}
    for device in found:
        by_hub.setdefault(device.hub_id, []).append(device)
    return [lease for hub_id in sorted(by_hub) for lease in _leases_behind(hub_id, by_hub[hub_id])]


def _leases_behind(hub_id: uuid.UUID, found: list[Device]) -> list[Lease]:
    ((at_once, down_since, probe_at),) = HUB(pk=hub_id)
    if down_since and probe_at and probe_at > now():
        return []
    ends = monotonic() + MAX_LEASE.total_seconds()
    leases = (Lease(device, uuid.uuid4(), device.version, ends) for device in found[: 1 if down_since else None])
    taken = [one for one in leases if LEASE(pk=one.device_id, token=one.token, hub=hub_id, at_once=at_once)]
    if down_since and taken:
        Hub.objects.filter(pk=hub_id).update(probe_at=now() + MAX_LEASE)
    return taken


def _only(leases: list[Lease]) -> Lease | None:
    return leases[0] if leases else None


def _busy_hubs() -> QuerySet[Hub, uuid.UUID]:
    leased = Count("devices", filter=_held("devices__"))
    return Hub.objects.annotate(leased=leased).filter(leased__gte=F("calls_at_once")).values_list("pk", flat=True)


def _held(prefix: str = "") -> Q:
    until = f"{prefix}syncing_until"
    return Q(**{f"{until}__gt": Now(), f"{until}__lte": Now() + MAX_LEASE})


def _held_behind(hub: Given) -> Coalesce:
    """How many locks of a hub are held, as the statement that asks for it sees it: the hub is held by then."""
    held = Device.objects.filter(_held(), hub=hub).order_by().values("hub").annotate(of=Count("pk")).values("of")
    return Coalesce(Subquery(held), 0)


def _can_skip() -> bool:
    return bool(transaction.get_connection().features.has_select_for_update_skip_locked)


# Statements: what each claim, call and end of a turn asks

AT = Given("at", DateTimeField())


def _one() -> QuerySet[Device]:
    return Device.objects.filter(pk=Given("pk", UUIDField()))


def _mine() -> QuerySet[Device]:
    return _one().filter(lease_token=Given("lease_token", UUIDField()))


def _due() -> QuerySet[Device]:
    return Device.objects.filter(next_sync_at__lte=AT)


UNMARK = PreparedUpdate(_one, queued_until=None)
CLAIM = _Claim(_one)
CLAIM_WANTED = _Claim(lambda: _one().filter(next_sync_at__lte=AT))
CLAIM_DUE = _Claim(_due)
CLAIM_SEVERAL = _Claim(_due, SEVERAL)
CLAIM_ASKED_FOR = _Claim(lambda: _due().filter(queued_until__gt=Now()))
HUB = Prepared(
    lambda: (
        Hub.objects.select_for_update()
        .filter(pk=Given("pk", UUIDField()))
        .values_list("calls_at_once", "down_since", "probe_at")
    )
)
LEASE = PreparedUpdate(
    lambda: _one().filter(free(), LessThan(_held_behind(Given("hub", UUIDField())), Given("at_once", IntegerField()))),
    lease_token=Given("token", UUIDField()),
    syncing_until=Now() + MAX_LEASE,
    queued_until=None,
)
EXTEND = PreparedUpdate(_mine, syncing_until=Now() + Given("lasts", DurationField()))
RELEASE = PreparedUpdate(
    _mine,
    lease_token=None,
    syncing_until=None,
    next_sync_at=Case(
        When(version=Given("version", IntegerField()), then=Given("due", DateTimeField())),
        default=AT,
    ),
    seen_at=Coalesce(Given("seen_at", DateTimeField()), F("seen_at")),
)
