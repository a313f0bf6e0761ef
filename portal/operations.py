"""Migration operations that a running portal does not notice. The rules are in the README, and tests hold them."""

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently as OnPostgres
from django.contrib.postgres.operations import RemoveIndexConcurrently as RemoveOnPostgres
from django.db.migrations import AddIndex, RemoveIndex


class AddIndexConcurrently(OnPostgres):
    """An index on a table that is big and in use. PostgreSQL builds it beside the work; SQLite, quickly, as ever.

    Its migration needs `atomic = False` and should hold nothing else: one that breaks leaves an invalid index behind,
    which is to be dropped before the next try.
    """

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        kind = OnPostgres if schema_editor.connection.vendor == "postgresql" else AddIndex
        kind.database_forwards(self, app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        kind = OnPostgres if schema_editor.connection.vendor == "postgresql" else AddIndex
        kind.database_backwards(self, app_label, schema_editor, from_state, to_state)


class RemoveIndexConcurrently(RemoveOnPostgres):
    """Takes such an index away; its migration needs `atomic = False` too."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        kind = RemoveOnPostgres if schema_editor.connection.vendor == "postgresql" else RemoveIndex
        kind.database_forwards(self, app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        kind = RemoveOnPostgres if schema_editor.connection.vendor == "postgresql" else RemoveIndex
        kind.database_backwards(self, app_label, schema_editor, from_state, to_state)
