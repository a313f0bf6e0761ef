"""Migration operations that a running portal does not notice. The rules are in the README, and tests hold them."""

from typing import Any, ClassVar

from django.contrib.postgres.operations import AddIndexConcurrently as AddOnPostgres
from django.contrib.postgres.operations import RemoveIndexConcurrently as RemoveOnPostgres
from django.db.migrations import AddIndex, RemoveIndex
from django.db.migrations.operations.base import Operation


class _Concurrently(Operation):
    """Does what PostgreSQL's own operation does there, and what the plain one does elsewhere."""

    on_postgres: ClassVar[type[Operation]]
    elsewhere: ClassVar[type[Operation]]

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        self._kind(schema_editor).database_forwards(self, app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        self._kind(schema_editor).database_backwards(self, app_label, schema_editor, from_state, to_state)

    def _kind(self, schema_editor: Any) -> type[Operation]:
        return self.on_postgres if schema_editor.connection.vendor == "postgresql" else self.elsewhere


class AddIndexConcurrently(_Concurrently, AddOnPostgres):
    """An index on a table that is big and in use. PostgreSQL builds it beside the work; SQLite, quickly, as ever.

    Its migration needs `atomic = False` and should hold nothing else: one that breaks leaves an invalid index behind,
    which is to be dropped before the next try.
    """

    on_postgres, elsewhere = AddOnPostgres, AddIndex


class RemoveIndexConcurrently(_Concurrently, RemoveOnPostgres):
    """Takes such an index away; its migration needs `atomic = False` too."""

    on_postgres, elsewhere = RemoveOnPostgres, RemoveIndex
