"""How often anything changed that a workspace's pages show: one number, by which a poll knows that nothing did.

Triggers count, so that no write is missed, whoever makes it: a service, the engine, the admin, a statement by hand. A
page reads the number before its rows; a change committed later makes the number greater, so it is never overlooked.
A workspace has several counters, whose sum is the number: on PostgreSQL a transaction takes one that nobody holds, or
adds one. So writers of one workspace wait for one another no longer than before, and there are as many counters as
ever wrote at once.

Beside it each lock has a number of its own, counted alike, and so have all changes of a workspace that concern no
single lock: its people, their rights, its settings, properties and hubs. By these two a lock's page knows that nothing
of its own changed, while a hundred other locks are being programmed.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import models
from django.db.migrations.operations.base import Operation
from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Cast, Coalesce

from portal.models import ChangeCount, LockChangeCount
from portal.prepared import Given, Prepared

PARTS = 32_000  # names to pick from for a workspace's next counter
OPERATIONS = ("INSERT", "UPDATE", "DELETE")


COUNTED = Prepared(lambda: ChangeCount.objects.filter(workspace=Given("of", models.UUIDField())).values_list("number"))


def number(workspace: UUID) -> int:
    """The workspace's number now."""
    return sum(count for (count,) in COUNTED(of=workspace))


def narrow_number(subject: UUID) -> int:
    """The number of a lock now, or of a workspace's changes that concern no single lock."""
    total = LockChangeCount.objects.filter(subject=subject).aggregate(total=Sum("number"))["total"]
    return int(total or 0)


def number_of(workspace: str) -> Coalesce:
    """The number of the workspace that an outer query names by this field, as a part of that query."""
    return _sum(ChangeCount.objects.filter(workspace=OuterRef(workspace)).values("workspace"))


def narrow_number_of(subject: str) -> Coalesce:
    """The number of the lock that an outer query names, or of a workspace's changes that concern no single lock."""
    return _sum(LockChangeCount.objects.filter(subject=OuterRef(subject)).values("subject"))


def _sum(counts: QuerySet[Any, Any]) -> Coalesce:
    total = Cast(Sum("number"), models.BigIntegerField())
    summed = counts.order_by().annotate(total=total).values("total")
    return Coalesce(Subquery(summed), 0, output_field=models.BigIntegerField())


class CountChanges(Operation):
    """Have a table's changes counted: give the statement that finds the workspace's id of `{row}`.

    `lock`: the expression for its lock's id, NULL where it concerns no single lock; "": the lock is not counted.
    `columns`: those whose update counts, all if empty. SQLite drops triggers when a later migration makes the table
    anew: then repeat this operation (a test tells), and `StopCounting` before it.
    """

    reduces_to_sql = True
    reversible = True

    def __init__(
        self, table: str, workspace: str, *, lock: str = "", columns: Sequence[str] = (), on: Sequence[str] = OPERATIONS
    ) -> None:
        self.table, self.workspace, self.lock, self.columns, self.on = table, workspace, lock, columns, on

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        options = {"lock": self.lock, "columns": self.columns, "on": self.on}
        return type(self).__name__, [self.table, self.workspace], options

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Models know nothing of it."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        _end(self, schema_editor)
        _begin(self, schema_editor)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        _end(self, schema_editor)

    def describe(self) -> str:
        return f"Count changes of {self.table}"

    def event(self, operation: str) -> str:
        of = f" OF {', '.join(self.columns)}" if operation == "UPDATE" and self.columns else ""
        return operation + of


class StopCounting(CountChanges):
    """Its reverse, for a while: SQLite makes no table anew that another table's triggers read."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        _end(self, schema_editor)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        _begin(self, schema_editor)

    def describe(self) -> str:
        return f"Count no changes of {self.table}"


def name_of(table: str, operation: str) -> str:
    """The trigger's name."""
    return f"{table}_changed_{operation.lower()}"


def _begin(count: CountChanges, schema_editor: Any) -> None:
    write = _postgres if schema_editor.connection.vendor == "postgresql" else _sqlite
    for statement in write(count):
        schema_editor.execute(statement, params=None)


def _end(count: CountChanges, schema_editor: Any) -> None:
    postgres = schema_editor.connection.vendor == "postgresql"
    for event in OPERATIONS:
        on = f" ON {count.table}" if postgres else ""
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {name_of(count.table, event)}{on}", params=None)
    if postgres:
        schema_editor.execute(f"DROP FUNCTION IF EXISTS {count.table}_changed", params=None)


def _postgres(count: CountChanges) -> list[str]:
    found, lock = count.workspace.format(row="changed"), count.lock.format(row="changed") or "NULL"
    function = f"""
        CREATE FUNCTION {count.table}_changed() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE changed record; space uuid; lock uuid;
        BEGIN
            IF TG_OP = 'DELETE' THEN changed := OLD; ELSE changed := NEW; END IF;
            FOR space, lock IN SELECT found.id, {lock} FROM ({found}) found LOOP
                {_raise("portal_changecount", "workspace_id", "space")}
                {_raise("portal_lockchangecount", "subject", "COALESCE(lock, space)") if count.lock else ""}
            END LOOP;
            RETURN NULL;
        END $$"""  # noqa: S608  fixed text
    triggers = [
        f"CREATE TRIGGER {name_of(count.table, operation)} AFTER {count.event(operation)} ON {count.table}"
        f" FOR EACH ROW EXECUTE FUNCTION {count.table}_changed()"
        for operation in count.on
    ]
    return [function, *triggers]


def _raise(counts: str, owner: str, value: str) -> str:
    return f"""
        UPDATE {counts} SET number = number + 1 WHERE ({owner}, part) = (
            SELECT free.{owner}, free.part FROM {counts} free WHERE free.{owner} = {value}
            ORDER BY free.part LIMIT 1 FOR UPDATE SKIP LOCKED
        );
        IF NOT FOUND THEN
            INSERT INTO {counts} AS count ({owner}, part, number) VALUES ({value}, floor(random() * {PARTS}), 1)
            ON CONFLICT ({owner}, part) DO UPDATE SET number = count.number + 1;
        END IF;"""  # noqa: S608  fixed text


def _sqlite(count: CountChanges) -> list[str]:
    return [
        f"""
        CREATE TRIGGER {name_of(count.table, operation)} AFTER {count.event(operation)} ON {count.table} BEGIN
            {_add(count, operation, "portal_changecount", "workspace_id", "found.id")}
            {_add(count, operation, "portal_lockchangecount", "subject", _SUBJECT) if count.lock else ""}
        END"""
        for operation in count.on
    ]


_SUBJECT = "COALESCE({lock}, found.id)"


def _add(count: CountChanges, operation: str, counts: str, owner: str, value: str) -> str:
    row = "OLD" if operation == "DELETE" else "NEW"
    return f"""
        INSERT INTO {counts} ({owner}, part, number)
        SELECT {value.format(lock=count.lock.format(row=row))}, 0, 1 FROM ({count.workspace.format(row=row)}) found
        WHERE true ON CONFLICT ({owner}, part) DO UPDATE SET number = number + 1;"""  # noqa: S608  fixed text
