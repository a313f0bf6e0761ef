"""A fleet made by a few set-based statements: row by row a hundred thousand locks would take hours.

Each table is filled with copies of one valid row, which the factories made; a few columns differ from copy to copy and
are given as SQL. Workspaces have fifty locks, as in the budget of `UX.md`.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection, models
from django.utils import timezone

from backups.models import BackupCode
from codes.models import CodePin
from devices.models import Device, Event
from portal.models import Membership, User, Workspace
from tests import factories

A_WORKSPACE = 50  # locks
STAYS = 20  # codes a lock: one stay after another, three days each
SPARES = 5
NOW = 14  # the number of the stay that runs; those before are over
EVENTS = 4  # a lock
PINS = 100  # numbers a lock, of which it uses STAYS + SPARES
HEADROOM = 1_000_000  # numbers below are the factories' own


@dataclass(frozen=True, slots=True)
class Fleet:
    """`device`: one lock of the first workspace; `user`: its owner."""

    user: User
    device: Device
    workspace: Workspace


@dataclass(frozen=True, slots=True)
class Originals:
    """The rows of which the fleet is copied: a lock with a stay that is over, and a ready spare."""

    given: CodePin
    spare: BackupCode
    event: Event

    @classmethod
    def made(cls) -> "Originals":
        at = timezone.now()
        first, last = at - timedelta(days=3 * NOW + 1), at - timedelta(days=3 * NOW)
        device = factories.DeviceFactory(next_sync_at=at + timedelta(hours=5))
        code = factories.AccessCodeFactory(device=device, starts_at=first, ends_at=last, ended_at=last)
        event = Event.objects.create(
            workspace=device.property.workspace, device=device, type=Event.Type.DEVICE_CONNECTED, at=at
        )
        spare = factories.BackupCodeFactory(pool__device=device)
        return cls(factories.CodePinFactory(code=code, pin__label="Guest"), spare, event)


def build(locks: int) -> Fleet:
    """Locks with all that belongs to them, in workspaces of fifty. Fresh statistics."""
    some = f"< {locks}"
    with _numbers(max(locks, PINS)), _triggers_off():
        originals = Originals.made()
        _people(originals.event.device, some)
        _locks(originals.event.device, some)
        _stays(originals.given, some)
        _pools(originals.spare, some)
        _history(originals.event, some)
    with connection.cursor() as cursor:
        vacuum = connection.vendor == "postgresql" and not connection.in_atomic_block
        cursor.execute("VACUUM ANALYZE" if vacuum else "ANALYZE")
    workspace = Workspace.objects.get(name="Fleet 0")
    user = User.objects.filter(memberships__workspace=workspace).first()
    user = user or factories.MembershipFactory(workspace=workspace, role=Membership.Role.OWNER).user
    device = Device.objects.filter(property__workspace=workspace).order_by("name")[0]
    return Fleet(user, device, workspace)


def _people(device: Device, some: str) -> None:
    place = device.property
    spaces = f"(SELECT i AS n FROM bench_number WHERE i * {A_WORKSPACE} {some}) s"
    _multiply(place.workspace, spaces, id=_uuid("'space' || n"), name="'Fleet ' || n")
    _multiply(place, spaces, id=_uuid("'place' || n"), workspace_id=_uuid("'space' || n"), name="'Place ' || n")
    ids = {"id": _uuid("'hub' || n"), "workspace_id": _uuid("'space' || n")}
    _multiply(device.hub, spaces, **ids, address="'fleet-' || n")


def _locks(device: Device, some: str) -> None:
    space = f"(n / {A_WORKSPACE})"
    _multiply(
        device,
        f"(SELECT i AS n FROM bench_number WHERE i {some}) s",
        id=_uuid("'lock' || n"),
        property_id=_uuid(f"'place' || {space}"),
        hub_id=_uuid(f"'hub' || {space}"),
        lock_ref="'fleet-' || n",
        name="'Door ' || n",
        next_sync_at=_later("t.next_sync_at", "n %% 3600", "seconds"),
    )


def _stays(given: CodePin, some: str) -> None:
    """Twenty codes a lock: fourteen are over, one runs, its successor is on the lock too, the rest is planned."""
    code, pin = given.code, given.pin
    source = (
        f"(SELECT a.i AS n, b.i AS j, a.i * {PINS} + b.i + {HEADROOM} AS k, b.i * 259200 + a.i %% 200000 AS later"
        f" FROM bench_number a CROSS JOIN bench_number b WHERE a.i {some} AND b.i < {STAYS}) s"
    )
    begins, ends = f"'{_moment(code.starts_at)}'", f"'{_moment(code.ends_at)}'"
    starts = _later(begins, "later", "seconds")
    leaves = _later(ends, "later + 100000", "seconds")
    over, on_lock = f"j < {NOW}", f"j <= {NOW + 1}"
    _multiply(
        code,
        source,
        id=_uuid("'code' || k"),
        device_id=_uuid("'lock' || n"),
        name="'Guest ' || k",
        booking_reference="'RES-' || k",
        starts_at=starts,
        ends_at=leaves,
        ended_at=f"CASE WHEN {over} THEN {leaves} END",
    )
    _multiply(
        pin,
        source,
        id="k",
        device_id=_uuid("'lock' || n"),
        digest="'digits-' || k",
        slot=f"CASE WHEN {on_lock} AND NOT ({over}) THEN j END",
        wanted=f"CASE WHEN {over} THEN 'absent' ELSE 'present' END",
        wanted_from=starts,
        wanted_until=leaves,
        program_at=_later(begins, "later - 259200", "seconds"),
        status=f"CASE WHEN {over} THEN 'removed' WHEN {on_lock} THEN 'set' ELSE 'planned' END",
        seen_from=f"CASE WHEN {on_lock} THEN {starts} END",
        seen_until=f"CASE WHEN {on_lock} THEN {leaves} END",
        confirmed_at=f"CASE WHEN {on_lock} THEN t.created_at END",
        give_up_at=f"CASE WHEN NOT ({on_lock}) THEN {starts} END",
    )
    ended = f"CASE WHEN {over} THEN {leaves} END"
    _multiply(given, source, id="k", code_id=_uuid("'code' || k"), pin_id="k", ended_at=ended)


def _pools(spare: BackupCode, some: str) -> None:
    every = f"(SELECT i AS n, i + {HEADROOM} AS k FROM bench_number WHERE i {some}) s"
    _multiply(spare.pool, every, id="k", device_id=_uuid("'lock' || n"), complete="true")  # no trigger runs here
    source = (
        f"(SELECT a.i AS n, b.i AS j, a.i * {PINS} + b.i + {HEADROOM} + {STAYS} AS k"
        f" FROM bench_number a CROSS JOIN bench_number b WHERE a.i {some} AND b.i < {SPARES}) s"
    )
    _multiply(
        spare.pin,
        source,
        id="k",
        device_id=_uuid("'lock' || n"),
        digest="'digits-' || k",
        slot=f"j + {STAYS}",
        label="'Backup ' || k",
    )
    names = {"code_id": "'B' || j", "position": "j + 1"}
    _multiply(spare, source, id="k", pool_id=f"n + {HEADROOM}", pin_id="k", **names)


def _history(event: Event, some: str) -> None:
    source = (
        f"(SELECT a.i AS n, b.i AS j, a.i * {EVENTS} + b.i + {HEADROOM} AS k"
        f" FROM bench_number a CROSS JOIN bench_number b WHERE a.i {some} AND b.i < {EVENTS}) s"
    )
    _multiply(
        event,
        source,
        id="k",
        workspace_id=_uuid(f"'space' || (n / {A_WORKSPACE})"),
        device_id=_uuid("'lock' || n"),
        at=_later("t.at", "-j * 3600", "seconds"),
    )


def _multiply(template: models.Model, source: str, **different: str) -> None:
    """Insert a copy of the row for each row of `source`; some columns are SQL over it (`t` is the row itself)."""
    meta = template._meta
    columns = [field.column for field in meta.concrete_fields]
    chosen = ", ".join(different.pop(column, f't."{column}"') for column in columns)
    assert not different, f"{meta.db_table} has no {', '.join(different)}"
    names = ", ".join(f'"{column}"' for column in columns)
    key = meta.pk.get_db_prep_value(template.pk, connection)
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{meta.db_table}" ({names}) SELECT {chosen} FROM "{meta.db_table}" t CROSS JOIN {source}'
            f' WHERE t."{meta.pk.column}" = %s',
            [key],
        )


@contextmanager
def _triggers_off() -> Iterator[None]:
    """Checking references and counting changes row by row would take longer than the rows; both need a superuser."""
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            yield
            return
        cursor.execute("SELECT usesuper FROM pg_user WHERE usename = current_user")
        if cursor.fetchone()[0]:
            cursor.execute("SET session_replication_role = replica")
        yield
        cursor.execute("RESET session_replication_role")


@contextmanager
def _numbers(count: int) -> Iterator[None]:
    """A table of the numbers from nought, while this lasts."""
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        connection.connection.create_function("bench_uuid", 1, lambda text: hashlib.md5(text.encode()).hexdigest())  # noqa: S324
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE bench_number (i bigint PRIMARY KEY)")
        cursor.execute(
            "INSERT INTO bench_number WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < %s)"
            " SELECT i FROM n",
            [count],
        )
        cursor.execute("ANALYZE bench_number" if connection.vendor == "postgresql" else "SELECT 1")
        yield
        cursor.execute("DROP TABLE bench_number")


# What the two databases write differently


def _uuid(text: str) -> str:
    return f"md5({text})::uuid" if connection.vendor == "postgresql" else f"bench_uuid({text})"


def _moment(value: object) -> str:
    return f"{value:%Y-%m-%d %H:%M:%S}" + ("+00" if connection.vendor == "postgresql" else "")


def _later(moment: str, count: str, unit: str) -> str:
    if connection.vendor == "postgresql":
        return f"({moment}::timestamptz + ({count}) * interval '1 {unit[:-1]}')"
    return f"datetime({moment}, ({count}) || ' {unit}')"
