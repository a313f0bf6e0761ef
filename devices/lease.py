"""The lease: exactly one worker at a time speaks to a lock and writes what was seen there.

A column, not an advisory lock, so that both databases know it; its times are the database's own. A lease or queue
mark further ahead than its maximum counts as expired, for clocks step back.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from time import monotonic
from typing import Any

from django.db import connection, connections, models, transaction
from django.db.models import Case, Count, F, Q, QuerySet, Value, When
from django.db.models.functions import Now

from devices.models import Device, Hub, Pin
from portal.clock import now

CALL_SLACK = 10  # seconds a lease outlives the deadline of the call it was extended for
LONGEST_CALL = 20  # seconds, the longest deadline of a provider call
MAX_LEASE = timedelta(seconds=LONGEST_CALL + CALL_SLACK)
MAX_QUEUE_MARK = timedelta(seconds=30)


class LeaseLost(Exception):
    """Somebody else has this lock's turn now: stop, write nothing."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to one turn of a lock. `version` is what was wanted of the lock when it began.

    `lasts_until`: by this process's clock, it ends no earlier if it is not extended.
    """

    device_id: uuid.UUID
    token: uuid.UUID
    version: int
    lasts_until: float = field(default=0.0, compare=False)

    def extend(self, seconds: float) -> None:
        """Hold the lock for a call of this many seconds and a little more. Raises LeaseLost."""
        if not self._mine().update(syncing_until=Now() + _lasts(seconds)):
            raise LeaseLost

    def release(self, next_sync_at: datetime | None, *, seen_at: datetime | None = None) -> None:
        """Give the lock back, due again at that moment, or at once if something new was wanted meanwhile.

        `seen_at`: when it answered; None: it did not.
        """
        due = Case(When(version=self.version, then=Value(next_sync_at)), default=Value(now()))
        seen = {"seen_at": seen_at} if seen_at else {}
        self._mine().update(lease_token=None, syncing_until=None, next_sync_at=due, **seen)

    def hold(self) -> Device:
        """The lock's row, locked for this transaction. Raises LeaseLost."""
        device = self._mine().select_for_update().first()
        if device is None:
            raise LeaseLost
        return device

    def write(self, pin: Pin, values: Mapping[str, Any], *, call: float | None = None) -> Pin:
        """Write this of a PIN and give it back as it then is, its lock's row locked for this transaction.

        `call`: extend the lease as well, for a call of so many seconds. What the lock's version is then stands in the
        PIN's `lock_version`. Raises LeaseLost, with nothing written.
        """
        if call is not None and not in_one_statement():
            self.extend(call)
            call = None
        as_id = models.UUIDField().get_db_prep_value
        fields = [_column(name) for name in values]
        written = [one.get_db_prep_save(value, connection) for one, value in zip(fields, values.values(), strict=True)]
        until = [] if call is None else [_lasts(call)]
        mine = [as_id(self.device_id, connection), as_id(self.token, connection)]
        statement = _write_of_mine(connection.alias, tuple(one.column for one in fields), extends=call is not None)
        for fresh in Pin.objects.raw(statement, [*until, *mine, *written, pin.pk]):
            return fresh
        raise LeaseLost

    def _mine(self) -> QuerySet[Device]:
        return Device.objects.filter(pk=self.device_id, lease_token=self.token)


def in_one_statement() -> bool:
    """Whether the database extends a lease and writes to a PIN in one statement."""
    return connection.vendor == "postgresql"


@cache
def _column(name: str) -> "models.Field[Any, Any]":
    return next(one for one in Pin._meta.concrete_fields if one.name == name)


@cache
def _write_of_mine(alias: str, columns: tuple[str, ...], *, extends: bool) -> str:
    """Hold or extend the lease of a lock, write these columns of a PIN of it, give the PIN and the lock's version.

    As text: it is asked twice a PIN, and to compile it would take longer than to do it.
    """
    device, pin, one = Device._meta.db_table, Pin._meta.db_table, connections[alias].vendor == "postgresql"
    mine = f"{device} WHERE id = %s AND lease_token = %s"
    held = f"SELECT id, version FROM {mine} {'FOR UPDATE' if one else ''}"  # noqa: S608  names of ours
    if extends:
        until = "SET syncing_until = STATEMENT_TIMESTAMP() + %s WHERE"
        held = f"UPDATE {mine.replace('WHERE', until)} RETURNING id, version"
    fresh = f"{pin}.*, held.version" if one else f"*, (SELECT version FROM {device} WHERE id = device_id)"  # noqa: S608  names of ours
    return f"""
        WITH held AS ({held})
        UPDATE {pin} SET {", ".join(f"{column} = %s" for column in columns)}
        FROM held WHERE {pin}.id = %s AND {pin}.device_id = held.id
        RETURNING {fresh} AS lock_version"""  # noqa: S608  names of ours


def _lasts(call: float) -> timedelta:
    return timedelta(seconds=min(call, LONGEST_CALL) + CALL_SLACK)


def take(device_id: uuid.UUID | str) -> Lease | None:
    """The lease of this lock, clearing its queue mark; None when it is held, removed or its hub is busy or down."""
    Device.objects.filter(pk=device_id).update(queued_until=None)
    return _claim(Device.objects.filter(pk=device_id))


def take_wanted(device_id: uuid.UUID | str) -> Lease | None:
    """As `take`, for a task: None as well when the lock is not due any more, for somebody gave it its turn."""
    Device.objects.filter(pk=device_id).update(queued_until=None)
    return _claim(Device.objects.filter(pk=device_id, next_sync_at__lte=now()))


def waits(device_id: uuid.UUID | str) -> bool:
    """Whether this lock is due and nobody holds it."""
    due = Device.objects.filter(free(), pk=device_id, next_sync_at__lte=now())
    return due.exclude(removal=Device.Removal.REMOVED).exists()


def take_due() -> Lease | None:
    """The lease of the lock that has been due longest and may be spoken to; None when there is none."""
    return _claim(Device.objects.filter(next_sync_at__lte=now()))


def take_asked_for() -> Lease | None:
    """The lease of a lock that somebody asked for just now; None when there is none.

    Its task is on its way, behind what others of its kind still have in hand: whoever is free takes it before locks
    that are only due, so that a guest at the door does not wait for a thousand locks that are being programmed.
    """
    return _claim(Device.objects.filter(next_sync_at__lte=now(), queued_until__gt=Now()))


def unqueued() -> Q:
    """Locks for which no task is on its way."""
    return Q(queued_until=None) | Q(queued_until__lte=Now()) | Q(queued_until__gt=Now() + MAX_QUEUE_MARK)


def free() -> Q:
    """Locks that nobody holds."""
    return Q(syncing_until=None) | Q(syncing_until__lte=Now()) | Q(syncing_until__gt=Now() + MAX_LEASE)


def speakable() -> Q:
    """Locks whose hub is up, or down and due for its one probe."""
    return Q(hub__probe_at=None) | Q(hub__probe_at__lte=now())


def _claim(candidates: QuerySet[Device]) -> Lease | None:
    open_ = candidates.filter(free(), speakable()).exclude(removal=Device.Removal.REMOVED)
    for again in range(4):  # the hub of the first may be busy: then for those whose hub is not, as far as can be seen
        candidates = open_.exclude(hub__in=_busy_hubs()) if again else open_
        with transaction.atomic():
            found = (
                candidates.order_by("next_sync_at")
                .select_for_update(skip_locked=_can_skip(), of=("self",))
                .values_list("pk", "hub_id", "version")
                .first()
            )
            if found is None:
                return None
            if lease := _lease(*found):
                return lease
    return None


def _lease(device_id: uuid.UUID, hub_id: uuid.UUID, version: int) -> Lease | None:
    """One claim a hub at a time: its limit holds."""
    hub = Hub.objects.select_for_update().values_list("calls_at_once", "down_since", "probe_at").get(pk=hub_id)
    at_once, down_since, probe_at = hub
    if Device.objects.filter(_held(), hub=hub_id).count() >= at_once:
        return None
    if down_since:
        if probe_at and probe_at > now():
            return None
        Hub.objects.filter(pk=hub_id).update(probe_at=now() + MAX_LEASE)
    token, lasts_until = uuid.uuid4(), monotonic() + MAX_LEASE.total_seconds()
    taken = Device.objects.filter(free(), pk=device_id).update(
        lease_token=token, syncing_until=Now() + MAX_LEASE, queued_until=None
    )
    return Lease(device_id, token, version, lasts_until) if taken else None


def _busy_hubs() -> QuerySet[Hub, uuid.UUID]:
    leased = Count("devices", filter=_held("devices__"))
    return Hub.objects.annotate(leased=leased).filter(leased__gte=F("calls_at_once")).values_list("pk", flat=True)


def _held(prefix: str = "") -> Q:
    until = f"{prefix}syncing_until"
    return Q(**{f"{until}__gt": Now(), f"{until}__lte": Now() + MAX_LEASE})


def _can_skip() -> bool:
    return bool(transaction.get_connection().features.has_select_for_update_skip_locked)
