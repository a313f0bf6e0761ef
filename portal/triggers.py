"""Facts that the database keeps by itself: no write is missed, whoever makes it, be it old code or a hand."""

from collections.abc import Sequence
from typing import Any

from django.db.migrations.operations.base import Operation


class Trigger(Operation):
    """After any of these events on a table's row, do the statement; it names the row's columns as `{row}.column`.

    `events`: "INSERT", "UPDATE OF one, two". SQLite drops triggers when a later migration makes the table anew: then
    repeat this operation.
    """

    reduces_to_sql = True
    reversible = True

    def __init__(self, name: str, table: str, events: Sequence[str], statement: str) -> None:
        self.name, self.table, self.events, self.statement = name, table, events, statement

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        return type(self).__name__, [self.name, self.table, self.events, self.statement], {}

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Models know nothing of it."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        self.database_backwards(app_label, schema_editor, from_state, to_state)
        statement = self.statement.format(row="NEW")
        if schema_editor.connection.vendor == "postgresql":
            made = f"CREATE FUNCTION {self.name}() RETURNS trigger LANGUAGE plpgsql"
            schema_editor.execute(f"{made} AS $$ BEGIN {statement}; RETURN NULL; END $$", params=None)
            events = " OR ".join(self.events)
            each = f"FOR EACH ROW EXECUTE FUNCTION {self.name}()"
            schema_editor.execute(f"CREATE TRIGGER {self.name} AFTER {events} ON {self.table} {each}", params=None)
            return
        for number, event in enumerate(self.events):
            made = f"CREATE TRIGGER {self.name}_{number} AFTER {event} ON {self.table}"
            schema_editor.execute(f"{made} BEGIN {statement}; END", params=None)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {self.name} ON {self.table}", params=None)
            schema_editor.execute(f"DROP FUNCTION IF EXISTS {self.name}", params=None)
            return
        for number, _event in enumerate(self.events):
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {self.name}_{number}", params=None)

    def describe(self) -> str:
        return f"Keep {self.name} by a trigger on {self.table}"
